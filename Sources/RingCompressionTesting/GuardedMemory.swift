#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory that ends where the process may neither read nor write: whoever goes a byte too far is found out, in every
/// build.
package final class GuardedMemory {
    private let pages: UnsafeMutableRawPointer
    private let capacity: Int
    private let mappedBytes: Int

    /// Memory for up to so many bytes.
    package init(capacity: Int) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        self.capacity = (capacity + page - 1) / page * page
        mappedBytes = self.capacity + page
        let start = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != MAP_FAILED else { fatalError("no memory for \(mappedBytes) bytes") }
        pages = start
        guard mprotect(pages + self.capacity, page, PROT_NONE) == 0 else { fatalError("mprotect failed") }
    }

    deinit {
        munmap(pages, mappedBytes)
    }

    /// The last `count` bytes, with nothing behind them. Every call gives the same memory.
    package func last(_ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(count <= capacity, "\(count) bytes do not fit into \(capacity)")
        return UnsafeMutableRawBufferPointer(start: pages + capacity - count, count: count)
    }

    /// The last bytes, holding a copy of `bytes`.
    package func last(_ bytes: some Collection<UInt8>) -> UnsafeRawBufferPointer {
        let memory = last(bytes.count)
        memory.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(memory)
    }
}
