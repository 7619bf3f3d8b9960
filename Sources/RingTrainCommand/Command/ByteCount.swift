import ArgumentParser

/// A number of bytes as the command line takes it: `4096`, `256K`, `1M`, `1G`, with powers of 1,024.
struct ByteCount: Sendable, Equatable, ExpressibleByArgument {
    let bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    init?(argument: String) {
        var digits = argument[...]
        var factor = 1
        if let unit = argument.last, let power = ["K": 1, "M": 2, "G": 3][unit.uppercased()] {
            digits.removeLast()
            factor = 1 << (10 * power)
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits)
        else {
            return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// The shortest form that the command line takes.
    var defaultValueDescription: String {
        for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)"
    }
}
