#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory for intermediate results, kept from one operation to the next; it only grows.
final class Scratch {
    private(set) var memory: UnsafeMutableRawPointer?
    private(set) var byteCount = 0

    deinit {
        free(memory)
    }

    /// Provides at least `count` bytes, page-aligned. Growing loses the contents.
    func reserve(_ count: Int) {
        guard count > byteCount else { return }
        free(memory)
        let hugePage = 2 << 20
        let alignment = count >= hugePage ? hugePage : 4096
        let rounded = (count + alignment - 1) / alignment * alignment
        let status = posix_memalign(&memory, alignment, rounded)
        precondition(status == 0, "out of memory: \(rounded) bytes of scratch")
        // Fewer page faults and TLB misses for buffers of megabytes; a kernel that declines changes nothing.
        if alignment == hugePage { _ = madvise(memory, rounded, Int32(MADV_HUGEPAGE)) }
        byteCount = rounded
    }
}
