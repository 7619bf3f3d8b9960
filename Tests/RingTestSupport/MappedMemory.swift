#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory of whole pages of its own, which goes for good when it is let go of, as large blocks of the allocator do.
package final class MappedMemory {
    package let bytes: UnsafeMutableRawBufferPointer

    /// Maps at least so many bytes, all of them touched.
    package init(byteCount: Int) {
        let rounded = (byteCount + 65_535) / 65_536 * 65_536
        let memory = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(memory != MAP_FAILED, "no memory for \(rounded) bytes")
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: rounded)
        memset(memory!, 1, rounded)
    }

    deinit {
        munmap(bytes.baseAddress!, bytes.count)
    }

    /// All of it, to be read.
    package var all: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }

    /// The first elements.
    package func elements<Element>(_ count: Int, of type: Element.Type) -> UnsafeMutableBufferPointer<Element>
    {
        UnsafeMutableBufferPointer(start: bytes.baseAddress!.assumingMemoryBound(to: type), count: count)
    }

    /// Takes the memory away, and puts other in the same place.
    package func replace() {
        let memory = mmap(
            bytes.baseAddress!, bytes.count, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
        precondition(memory == bytes.baseAddress!, "memory cannot be replaced")
        memset(memory!, 2, bytes.count)
    }
}
