import RingCore
import RingTransport

/// What the two ends of a new connection say before the first frame. `Docs/WireProtocol.md` has the layout.
///
/// The request and the answer travel with the connection manager's own messages, the confirmation in a message on the new
/// queue pair. As over TCP no byte is believed before its sender's proof is checked.
enum RDMAHandshake {
    /// What comes with the dialler's request.
    struct Request: Hashable {
        static let byteCount = LinkHandshake.Hello.byteCount + 2
        var hello: LinkHandshake.Hello
        /// The largest packet's payload that the dialler wants, in bytes; 0 for what the path has.
        var mtu: UInt16

        var bytes: [UInt8] {
            var writer = ByteWriter(bytes: hello.bytes)
            writer.integer(mtu)
            return writer.bytes
        }

        init(hello: LinkHandshake.Hello, mtu: Int?) {
            self.hello = hello
            self.mtu = UInt16(mtu ?? 0)
        }

        /// Reads ``bytes``, which others may follow; nil if they are not a request of this version.
        init?(_ bytes: [UInt8]) {
            guard bytes.count >= Self.byteCount,
                let hello = LinkHandshake.Hello(Array(bytes[..<LinkHandshake.Hello.byteCount]))
            else { return nil }
            self.hello = hello
            mtu = UInt16(bytes[48]) | UInt16(bytes[49]) << 8
        }
    }

    /// What comes with the listener's answer, or with its refusal, which grants nothing.
    struct Answer: Hashable {
        /// Where the listener's ring is, and the packets' size.
        struct Grant: Hashable {
            static let byteCount = RingGrant.byteCount + 2
            var ring: RingGrant
            var mtu: UInt16

            var bytes: [UInt8] {
                var writer = ByteWriter(bytes: ring.bytes)
                writer.integer(mtu)
                return writer.bytes
            }
        }

        var verdict: LinkHandshake.Verdict
        var nonce: [UInt8]
        var grant: Grant?
        var proof: [UInt8]

        /// The reply as over TCP, and the grant.
        var bytes: [UInt8] {
            LinkHandshake.Reply(verdict: verdict, nonce: nonce, proof: proof).bytes + (grant?.bytes ?? [])
        }

        init(verdict: LinkHandshake.Verdict, nonce: [UInt8], grant: Grant?, proof: [UInt8]) {
            self.verdict = verdict
            self.nonce = nonce
            self.grant = grant
            self.proof = proof
        }

        /// Reads ``bytes``, which others may follow; nil if they are not an answer.
        init?(_ bytes: [UInt8]) {
            let replyLength = LinkHandshake.Reply.byteCount
            guard bytes.count >= replyLength, let reply = LinkHandshake.Reply(Array(bytes[..<replyLength]))
            else { return nil }
            (verdict, nonce, proof) = (reply.verdict, reply.nonce, reply.proof)
            guard verdict == .welcome else { return }
            var reader = ByteReader(Array(bytes[replyLength...]))
            guard let ring = try? RingGrant(&reader), let mtu = try? reader.integer(UInt16.self)
            else { return nil }
            grant = Grant(ring: ring, mtu: mtu)
        }

        /// The bytes that the listener's proof covers.
        func transcript(_ request: Request) -> [UInt8] {
            LinkHandshake.transcript(hello: request.bytes, verdict: verdict, nonce: nonce)
                + (grant?.bytes ?? [])
        }
    }

    /// The dialler's first message on the queue pair.
    struct Confirmation: Hashable {
        static let byteCount = LinkHandshake.proofLength + RingGrant.byteCount
        var proof: [UInt8]
        var ring: RingGrant

        var bytes: [UInt8] { proof + ring.bytes }

        init(proof: [UInt8], ring: RingGrant) {
            self.proof = proof
            self.ring = ring
        }

        /// Reads ``bytes``; nil if they are not a confirmation.
        init?(_ bytes: [UInt8]) {
            guard bytes.count == Self.byteCount else { return nil }
            proof = Array(bytes[..<LinkHandshake.proofLength])
            var reader = ByteReader(Array(bytes[LinkHandshake.proofLength...]))
            guard let ring = try? RingGrant(&reader) else { return nil }
            self.ring = ring
        }

        /// The bytes that the dialler's proof covers.
        static func transcript(answered: [UInt8], ring: RingGrant) -> [UInt8] { answered + ring.bytes }
    }
}
