/// Bytes that do not follow the protocol; says how.
package struct WireError: Error, CustomStringConvertible, Equatable {
    package var description: String

    /// Says what is wrong with the bytes.
    package init(description: String) {
        self.description = description
    }
}

/// Takes fields from the front of a message: fixed-width, little-endian, lengths before what they count.
///
/// Every length is held against what is really there before it is believed.
package struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    /// Begins at the front of a message.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func take(_ count: Int) throws(WireError) -> Range<Int> {
        guard count <= bytes.count - position else {
            throw WireError(description: "a message ends \(count - (bytes.count - position)) bytes early")
        }
        defer { position += count }
        return position..<position + count
    }

    /// A number of the type's width.
    package mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(WireError)
        -> Integer
    {
        let range = try take(MemoryLayout<Integer>.size)
        var value: Integer = 0
        for (place, index) in range.enumerated() {
            value |= Integer(truncatingIfNeeded: bytes[index]) << (8 * place)
        }
        return value
    }

    /// A block: four bytes of length, then so many bytes.
    package mutating func block() throws(WireError) -> [UInt8] {
        let length = try integer(UInt32.self)
        return Array(bytes[try take(Int(length))])
    }

    /// A text: two bytes of length, then so many bytes of UTF-8.
    package mutating func text() throws(WireError) -> String {
        let length = try integer(UInt16.self)
        guard let text = String(validating: bytes[try take(Int(length))], as: UTF8.self) else {
            throw WireError(description: "a text is not UTF-8")
        }
        return text
    }

    /// The number of elements that follow, each of so many bytes at least.
    package mutating func count(elementsOfAtLeast size: Int) throws(WireError) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= (bytes.count - position) / size else {
            throw WireError(description: "a message announces \(count) elements and ends before them")
        }
        return count
    }

    /// Everything that has not been taken yet.
    package mutating func remainder() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }

    /// Checks that nothing is left over.
    package func end() throws(WireError) {
        guard position == bytes.count else {
            throw WireError(description: "a message has \(bytes.count - position) bytes too many")
        }
    }
}
