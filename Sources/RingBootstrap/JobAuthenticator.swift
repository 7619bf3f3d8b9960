import Crypto

/// Proof that a peer belongs to the job, by a secret that all its ranks hold.
///
/// A proof is HMAC-SHA256, keyed with the job's secret, over this protocol's name, a label for who proves
/// what to whom, and the transcript of what both sides said so far. The label keeps a proof for one purpose
/// from serving another, the nonces of both sides in the transcript keep an old one from serving again.
/// Without a secret the key is empty, and a proof shows only that the bytes are whole.
package struct JobAuthenticator: Sendable {
    /// The bytes of a proof.
    package static let proofBytes = 32
    /// The bytes of a nonce.
    package static let nonceBytes = 32

    /// Whether there is a secret, and so whether a proof proves anything.
    package let hasSecret: Bool

    private let key: SymmetricKey

    /// Takes the job's secret; an empty one is none.
    package init(secret: [UInt8]?) {
        hasSecret = secret?.isEmpty == false
        key = SymmetricKey(data: secret ?? [])
    }

    /// A number from the system's source of randomness that was never used before.
    package static func makeNonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// A fresh job secret: 64 hexadecimal digits, fit for an environment variable.
    package static func makeSecret() -> String {
        makeNonce().map { hexadecimal($0) }.joined()
    }

    /// The proof, 32 bytes, for this label and transcript.
    package func proof(label: String, transcript: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Self.message(label, transcript), using: key))
    }

    /// Whether `proof` is right for this label and transcript, compared in constant time.
    package func verify(_ proof: [UInt8], label: String, transcript: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            proof, authenticating: Self.message(label, transcript), using: key)
    }

    /// Everything that is authenticated. The label's length stands before it, so that no other pair of
    /// label and transcript gives the same bytes.
    private static func message(_ label: String, _ transcript: [UInt8]) -> [UInt8] {
        var message = Array("ring-collectives/1".utf8)
        let label = Array(label.utf8)
        withUnsafeBytes(of: UInt32(label.count).littleEndian) { message += $0 }
        return message + label + transcript
    }
}
