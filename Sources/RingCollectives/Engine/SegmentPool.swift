/// Memory for compressed segments, kept from one operation to the next.
///
/// Its runner's thread alone uses it.
final class SegmentPool {
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]
    private var all: [UnsafeMutableRawPointer] = []

    deinit {
        for memory in all { memory.deallocate() }
    }

    /// Takes memory for so many bytes.
    func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let memory = free[byteCount]?.popLast() { return memory }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, byteCount), alignment: 64)
        all.append(memory)
        return memory
    }

    /// Gives it back.
    func give(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
        free[byteCount, default: []].append(memory)
    }
}
