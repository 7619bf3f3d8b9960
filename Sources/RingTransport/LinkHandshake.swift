package import RingCore

/// What the two ends of a new connection say before the first frame. `Docs/WireProtocol.md` has the layout.
///
/// The dialler says who it is and which link it wants (`hello`); the listener answers with a nonce and proves that
/// it knows the job's secret (`reply`); the dialler proves the same (`confirmation`). Three messages, and no byte
/// is believed before its sender's proof is checked.
package enum LinkHandshake {
    package static let magic: [UInt8] = Array("RINGLINK".utf8)
    package static let version: UInt16 = 2
    package static let nonceLength = 16
    package static let proofLength = 32

    /// The dialler's first message.
    package struct Hello: Hashable, Sendable {
        package static let byteCount = 48
        package var identifier: LinkIdentifier
        package var worldSize: UInt32
        package var from: UInt32
        package var to: UInt32
        package var nonce: [UInt8]

        package var bytes: [UInt8] {
            magic + littleEndian(version) + littleEndian(identifier.channel)
                + littleEndian(identifier.communicator) + littleEndian(identifier.epoch)
                + littleEndian(worldSize)
                + littleEndian(from) + littleEndian(to) + nonce
        }

        /// Reads `bytes`, of which there are ``byteCount``; nil if they are not a hello of this version.
        package init?(_ bytes: [UInt8]) {
            guard bytes.count == Self.byteCount, Array(bytes[..<8]) == magic, number(bytes[8..<10]) == version
            else { return nil }
            identifier = LinkIdentifier(
                communicator: number(bytes[12..<16]), epoch: number(bytes[16..<20]),
                channel: number(bytes[10..<12]))
            worldSize = number(bytes[20..<24])
            from = number(bytes[24..<28])
            to = number(bytes[28..<32])
            nonce = Array(bytes[32..<48])
        }

        package init(identifier: LinkIdentifier, worldSize: Int, from: Rank, to: Rank, nonce: [UInt8]) {
            self.identifier = identifier
            self.worldSize = UInt32(worldSize)
            self.from = UInt32(from)
            self.to = UInt32(to)
            self.nonce = nonce
        }
    }

    /// The listener's answer.
    package struct Reply: Sendable {
        package static let byteCount = 4 + nonceLength + proofLength
        package var verdict: Verdict
        package var nonce: [UInt8]
        package var proof: [UInt8]

        package var bytes: [UInt8] { littleEndian(verdict.rawValue) + nonce + proof }

        package init(verdict: Verdict, nonce: [UInt8], proof: [UInt8]) {
            self.verdict = verdict
            self.nonce = nonce
            self.proof = proof
        }

        package init?(_ bytes: [UInt8]) {
            guard bytes.count == Self.byteCount, let verdict = Verdict(rawValue: number(bytes[..<4])) else {
                return nil
            }
            self.verdict = verdict
            nonce = Array(bytes[4..<20])
            proof = Array(bytes[20...])
        }
    }

    /// What the listener thinks of a hello.
    package enum Verdict: UInt32, Sendable {
        case welcome = 0
        case wrongRank = 1
        case wrongWorldSize = 2
        /// All is well, and there is no connection: the dialler only wanted to know.
        case reachable = 3

        package var reason: String {
            switch self {
            case .welcome: "welcome"
            case .wrongRank: "another rank listens there: does a second job use the same addresses?"
            case .wrongWorldSize: "it has another world size: do all ranks belong to one job?"
            case .reachable: "it can be reached"
            }
        }
    }

    /// The bytes that both proofs cover.
    package static func transcript(hello: [UInt8], verdict: Verdict, nonce: [UInt8]) -> [UInt8] {
        hello + littleEndian(verdict.rawValue) + nonce
    }

    package static let listenerLabel = "ring-collectives link listener"
    package static let diallerLabel = "ring-collectives link dialler"

    package static func randomNonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<nonceLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static func number<Value: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Value {
        bytes.reversed().reduce(0) { $0 << 8 | Value($1) }
    }
}
