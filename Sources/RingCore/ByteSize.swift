/// A number of bytes as people write it: `4`, `64K`, `16M`, `1G`.
package struct ByteSize: Hashable, Sendable {
    /// The number of bytes, zero or more.
    package let bytes: Int

    /// The size of so many bytes.
    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// Reads digits with an optional K, M or G, the powers of 1,024; nil for anything else, or for more than
    /// fits a signed 64-bit number.
    package init?(_ text: String) {
        var digits = text[...]
        var factor = 1
        if let suffix = digits.last, let power = Self.powers[Character(suffix.uppercased())] {
            factor = power
            digits.removeLast()
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits)
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    private static let powers: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
}

extension ByteSize: CustomStringConvertible {
    /// The size with the largest suffix that divides it: `64K`.
    package var description: String {
        for (suffix, power) in [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
        where bytes > 0 && bytes % power == 0 {
            return "\(bytes / power)\(suffix)"
        }
        return "\(bytes)"
    }
}
