#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory in whole pages, in huge ones where it is large enough to profit from them.
package enum PageMemory {
    private static let page = 4096
    private static let hugePage = 2 << 20

    /// The size of the system's pages.
    package static let systemPageSize = sysconf(Int32(_SC_PAGESIZE))

    /// Allocates at least `byteCount` bytes, with undefined contents, to be given back with `free`; nil if there are not so
    /// many.
    package static func allocate(atLeast byteCount: Int) -> UnsafeMutableRawBufferPointer? {
        let alignment = byteCount >= hugePage ? hugePage : page
        guard byteCount <= Int.max - alignment else { return nil }
        let rounded = max(1, (byteCount + alignment - 1) / alignment) * alignment
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, alignment, rounded) == 0, let memory else { return nil }
        // Fewer page faults and TLB misses; a kernel that declines changes nothing.
        if alignment == hugePage { _ = madvise(memory, rounded, Int32(MADV_HUGEPAGE)) }
        return UnsafeMutableRawBufferPointer(start: memory, count: rounded)
    }
}
