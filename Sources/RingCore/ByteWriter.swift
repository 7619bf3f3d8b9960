/// Puts fields together as ``ByteReader`` takes them.
package struct ByteWriter {
    /// What was written so far.
    package var bytes: [UInt8]

    /// Goes on after these bytes.
    package init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// A number, in its type's width.
    package mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    /// Four bytes of length, then the block.
    package mutating func block(_ block: [UInt8]) {
        integer(UInt32(block.count))
        bytes += block
    }

    /// Two bytes of length, then the text: as many whole characters as `limit` bytes hold.
    package mutating func text(_ text: String, atMost limit: UInt16 = .max) {
        let utf8 = Array(text.utf8)
        var end = min(utf8.count, Int(limit))
        // Back to where a character's bytes begin, so that what is cut is still UTF-8.
        while end < utf8.count, utf8[end] & 0xC0 == 0x80 { end -= 1 }
        integer(UInt16(end))
        bytes += utf8[..<end]
    }
}
