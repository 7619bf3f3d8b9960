import RingTransport

/// An authenticator for tests: a sum that depends on the key, the label and the transcript.
struct KeyedSum: LinkAuthenticator {
    var key: UInt64 = 1

    func proof(label: String, transcript: [UInt8]) -> [UInt8] {
        var sum = 0xCBF2_9CE4_8422_2325 ^ key &* 0x9E37_79B9_7F4A_7C15
        for byte in Array(label.utf8) + [0] + transcript { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (0..<4 as Range<UInt64>).flatMap { part in
            let word = (sum ^ part) &* 0xFF51_AFD7_ED55_8CCD
            return withUnsafeBytes(of: (word ^ word >> 29).littleEndian) { Array($0) }
        }
    }
}
