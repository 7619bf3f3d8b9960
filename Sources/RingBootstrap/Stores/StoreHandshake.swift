import RingCore

/// How client and server of a TCP store begin: what they speak, and that both hold the job's secret.
///
/// 1. The client sends its *hello*: magic, protocol version, whether it has a secret, a fresh nonce.
/// 2. The server sends its hello, likewise, and its proof over both hellos.
/// 3. The client sends its proof over both hellos and the server's proof.
/// 4. The server sends the *verdict*, a frame with the identity of the process that serves.
///
/// Whoever finds the other's proof wrong closes the connection. Where the versions differ, nothing follows
/// the hellos, whose first 12 bytes are the same in all versions.
enum StoreHandshake {
    static let version: UInt16 = 1
    static let clientMagic = Array("RINGcall".utf8)
    static let serverMagic = Array("RINGstor".utf8)

    /// Magic (8), version (2), flags (2), nonce (32).
    static let helloBytes = 12 + JobAuthenticator.nonceBytes
    static let proofBytes = JobAuthenticator.proofBytes

    static let clientLabel = "store client"
    static let serverLabel = "store server"

    /// One side's hello.
    struct Hello: Equatable {
        var version = StoreHandshake.version
        var hasSecret: Bool
        var nonce: [UInt8]

        init(hasSecret: Bool) {
            self.hasSecret = hasSecret
            nonce = JobAuthenticator.makeNonce()
        }

        /// Reads a hello; nil if it does not begin with the magic.
        init?(bytes: [UInt8], magic: [UInt8]) {
            guard bytes.count == helloBytes, bytes.starts(with: magic) else { return nil }
            version = UInt16(bytes[8]) | UInt16(bytes[9]) << 8
            hasSecret = bytes[10] & 1 != 0
            nonce = Array(bytes[12...])
        }

        func bytes(magic: [UInt8]) -> [UInt8] {
            var writer = ByteWriter(bytes: magic)
            writer.integer(version)
            writer.integer(UInt16(hasSecret ? 1 : 0))
            return writer.bytes + nonce
        }
    }

    /// The server's part, without any I/O: bytes in, what to do out.
    struct Server {
        enum Step: Equatable {
            /// Send these bytes, and expect `nextBytes` more.
            case reply([UInt8])
            /// Send these bytes: the client is accepted.
            case accept([UInt8])
            /// Send these bytes, if any, and close.
            case reject([UInt8], reason: String)
        }

        private let authenticator: JobAuthenticator
        private let identity: String
        private var transcript: [UInt8] = []

        /// How many bytes the client has to send next.
        var nextBytes: Int { transcript.isEmpty ? helloBytes : proofBytes }

        init(authenticator: JobAuthenticator, identity: String) {
            self.authenticator = authenticator
            self.identity = identity
        }

        /// Takes the client's next `nextBytes` bytes.
        mutating func receive(_ bytes: [UInt8]) -> Step {
            if transcript.isEmpty { return receiveHello(bytes) }
            guard authenticator.verify(bytes, label: clientLabel, transcript: transcript) else {
                return .reject([], reason: "could not prove that it holds the job's secret")
            }
            return .accept(
                StoreFrame.framed { writer in
                    writer.integer(UInt8(1))
                    writer.text(identity)
                })
        }

        private mutating func receiveHello(_ bytes: [UInt8]) -> Step {
            guard let client = Hello(bytes: bytes, magic: clientMagic) else {
                return .reject([], reason: "does not speak this store's protocol")
            }
            let own = Hello(hasSecret: authenticator.hasSecret).bytes(magic: serverMagic)
            guard client.version == version else {
                return .reject(
                    own + [UInt8](repeating: 0, count: proofBytes),
                    reason:
                        "speaks version \(client.version) of the store's protocol, this one version "
                        + "\(version)"
                )
            }
            let hellos = bytes + own
            let proof = authenticator.proof(label: serverLabel, transcript: hellos)
            transcript = hellos + proof
            return .reply(own + proof)
        }
    }
}
