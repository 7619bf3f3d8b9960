#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory for a kernel to work on, on huge pages, until the process ends.
///
/// Filled with numbers of middling size in every type, so that nothing is rounded to a subnormal number, which takes
/// longer.
struct Buffer: @unchecked Sendable {  // Benchmarks run one after another.
    let start: UnsafeMutableRawPointer
    private static let hugePage = 2 << 20

    /// Allocates it.
    ///
    /// - Parameter offset: where in its page it starts. Buffers at the same place of their pages would fall into the
    ///   same sets of the caches.
    init(byteCount: Int, offset: Int) {
        let size = byteCount + offset
        start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.hugePage) + offset
        madvise(start - offset, size, MADV_HUGEPAGE)
        start.initializeMemory(as: UInt16.self, repeating: 0x3F80, count: byteCount / 2)
    }
}
