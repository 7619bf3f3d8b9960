/// The sum over a header's first 60 bytes, on its way.
struct HeaderSum {
    private var sum: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Adds some of a header's bytes, eight at a time.
    mutating func add(_ bytes: UnsafeRawPointer, _ range: Range<Int>) {
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            sum ^= sum >> 32
        }
    }

    /// The sum, once 56 bytes have been added: with the last four.
    func value(behind bytes: UnsafeRawPointer) -> UInt32 {
        var last = self
        last.mix(UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: UInt32.self))))
        return UInt32(truncatingIfNeeded: last.sum ^ (last.sum >> 32))
    }

    private mutating func mix(_ word: UInt64) {
        sum = (sum ^ word) &* 0xFF51_AFD7_ED55_8CCD
    }
}
