import RingCollectives

/// A buffer with guard bytes before and after it, to see whether anything is written outside.
///
/// One allocation serves every size of a run: the guard behind moves to the end of the size at hand. The buffer
/// itself starts on a page.
struct GuardedBuffer: ~Copyable {
    private let memory: AlignedBuffer
    private let capacity: Int

    private static let frontBytes = 4096
    private static let guardBytes = 256
    private static let guardByte: UInt8 = 0xA5

    /// What a buffer of this capacity takes of the memory, in bytes.
    static func footprint(capacity: Int) -> Int { frontBytes + capacity + guardBytes }

    /// Allocates a buffer of up to `capacity` bytes, of memory that `register` gives, if it does.
    init(capacity: Int, register: (Int) throws -> RegisteredBuffer<UInt8>? = { _ in nil }) throws {
        let byteCount = Self.footprint(capacity: capacity)
        memory = try register(byteCount).map { AlignedBuffer($0) } ?? AlignedBuffer(byteCount: byteCount)
        self.capacity = capacity
    }

    /// The buffer's first `byteCount` bytes, valid for as long as this value lives.
    func bytes(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        precondition(byteCount <= capacity, "\(byteCount) bytes of a buffer of \(capacity)")
        return UnsafeMutableRawBufferPointer(rebasing: memory.bytes[Self.frontBytes...].prefix(byteCount))
    }

    /// Sets the guards around the first `byteCount` bytes.
    func setGuards(around byteCount: Int) {
        for range in guardRanges(byteCount) {
            for offset in range { memory.bytes[offset] = Self.guardByte }
        }
    }

    /// How many guard bytes have changed since they were set around `byteCount` bytes.
    func brokenGuards(around byteCount: Int) -> Int {
        var broken = 0
        for range in guardRanges(byteCount) {
            for offset in range where memory.bytes[offset] != Self.guardByte { broken += 1 }
        }
        return broken
    }

    private func guardRanges(_ byteCount: Int) -> [Range<Int>] {
        let start = Self.frontBytes
        let end = start + byteCount
        return [start - Self.guardBytes..<start, end..<end + Self.guardBytes]
    }
}
