import RingCore

/// A reader of one line of a plan's text.
struct PlanScanner {
    private let bytes: [UInt8]
    private var position = 0
    /// The line's number, from 1, for messages.
    let line: Int

    init(_ text: some Sequence<UInt8>, line: Int) {
        bytes = Array(text)
        self.line = line
    }

    /// Whether nothing but space is left.
    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    /// Passes over a word or sign, if it comes next.
    mutating func take(_ literal: StaticString) -> Bool {
        skipSpace()
        let end = position + literal.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<literal.utf8CodeUnitCount
        where bytes[position + offset] != literal.utf8Start[offset] { return false }
        // A word must end where it ends: "to" does not begin "total".
        if Self.isNameByte(bytes[end - 1]), end < bytes.count, Self.isNameByte(bytes[end]) { return false }
        position = end
        return true
    }

    /// Passes over a word or sign, which must come next.
    mutating func expect(_ literal: StaticString) throws(CollectiveError) {
        guard take(literal) else { throw failure("expected \"\(literal)\"") }
    }

    /// Reads a number of zero or more.
    mutating func number(_ meaning: String) throws(CollectiveError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"),
            bytes[position] <= UInt8(ascii: "9")
        {
            let (shifted, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = shifted.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
            guard !first, !second else {
                position = start
                throw failure("\(meaning) is too large")
            }
            value = sum
            position += 1
        }
        guard position > start else { throw failure("expected \(meaning), a number") }
        return value
    }

    /// Reads a name of letters, digits and hyphens.
    mutating func name(_ meaning: String) throws(CollectiveError) -> String {
        skipSpace()
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        guard position > start else { throw failure("expected \(meaning)") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Reads a range: `0..<250`.
    mutating func range() throws(CollectiveError) -> Range<Int> {
        let lower = try number("the start of a range")
        try expect("..<")
        let upper = try number("the end of a range")
        guard lower <= upper else { throw failure("the range \(lower)..<\(upper) ends before it starts") }
        return lower..<upper
    }

    /// The error that something is wrong at this place.
    func failure(_ reason: String) -> CollectiveError {
        let rest = bytes[position...].prefix(24)
        let found = rest.isEmpty ? "the end of the line" : "\"\(String(decoding: rest, as: UTF8.self))\""
        return CollectiveError(.invalidArgument, "plan, line \(line): \(reason), at \(found)")
    }

    private mutating func skipSpace() {
        while position < bytes.count, [UInt8(ascii: " "), UInt8(ascii: "\t"), 13].contains(bytes[position]) {
            position += 1
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
