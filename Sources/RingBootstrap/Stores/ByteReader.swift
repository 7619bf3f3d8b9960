/// Bytes that do not follow the protocol; says how.
struct WireError: Error, CustomStringConvertible, Equatable {
    var description: String
}

/// Takes fields from the front of a message: fixed-width, little-endian, lengths before what they count.
///
/// Every length is held against what is really there before it is believed.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func take(_ count: Int) throws(WireError) -> Range<Int> {
        guard count <= bytes.count - position else {
            throw WireError(description: "a message ends \(count - (bytes.count - position)) bytes early")
        }
        defer { position += count }
        return position..<position + count
    }

    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(WireError) -> Integer {
        let range = try take(MemoryLayout<Integer>.size)
        var value: Integer = 0
        for (place, index) in range.enumerated() {
            value |= Integer(truncatingIfNeeded: bytes[index]) << (8 * place)
        }
        return value
    }

    /// A block: four bytes of length, then so many bytes.
    mutating func block() throws(WireError) -> [UInt8] {
        let length = try integer(UInt32.self)
        return Array(bytes[try take(Int(length))])
    }

    /// A text: two bytes of length, then so many bytes of UTF-8.
    mutating func text() throws(WireError) -> String {
        let length = try integer(UInt16.self)
        guard let text = String(validating: bytes[try take(Int(length))], as: UTF8.self) else {
            throw WireError(description: "a text is not UTF-8")
        }
        return text
    }

    /// The number of elements that follow, each of so many bytes at least.
    mutating func count(elementsOfAtLeast size: Int) throws(WireError) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= (bytes.count - position) / size else {
            throw WireError(description: "a message announces \(count) elements and ends before them")
        }
        return count
    }

    /// Checks that nothing is left over.
    func end() throws(WireError) {
        guard position == bytes.count else {
            throw WireError(description: "a message has \(bytes.count - position) bytes too many")
        }
    }
}

/// Puts fields together as ``ByteReader`` takes them.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func block(_ block: [UInt8]) {
        integer(UInt32(block.count))
        bytes += block
    }

    /// Writes a text, of which at most 65,535 bytes fit.
    mutating func text(_ text: String) {
        // Whole characters only, so that what is cut is still UTF-8: a scalar has four bytes at most.
        let fits = text.utf8.count <= Int(UInt16.max)
        let utf8 = Array(
            fits ? text.utf8 : String(String.UnicodeScalarView(text.unicodeScalars.prefix(16_000))).utf8)
        integer(UInt16(utf8.count))
        bytes += utf8
    }
}
