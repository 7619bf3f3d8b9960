import RingCollectives
import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory for one buffer, aligned to huge pages where it is large enough to profit from them.
struct AlignedBuffer: ~Copyable {
    /// The memory, valid for as long as this value lives.
    let bytes: UnsafeMutableRawBufferPointer
    /// What owns it, if it is registered memory.
    private let owner: RegisteredBuffer<UInt8>?

    private static let hugePage = 2 << 20
    private static let cacheLine = 64

    /// Allocates `byteCount` bytes, all zero.
    init(byteCount: Int) throws {
        let isLarge = byteCount >= Self.hugePage
        var memory: UnsafeMutableRawPointer?
        let result = posix_memalign(
            &memory, isLarge ? Self.hugePage : Self.cacheLine, Swift.max(byteCount, 1))
        guard result == 0, let memory else {
            throw CollectiveError(.system, "no memory for a buffer of \(byteCount) bytes")
        }
        if isLarge {
            // Advice only: without huge pages everything works, with more misses of the TLB.
            _ = madvise(memory, byteCount, MADV_HUGEPAGE)
        }
        memset(memory, 0, byteCount)
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
        owner = nil
    }

    /// Takes over memory that is registered.
    init(_ buffer: RegisteredBuffer<UInt8>) {
        bytes = UnsafeMutableRawBufferPointer(buffer.elements)
        owner = buffer
    }

    deinit {
        if owner == nil { free(bytes.baseAddress) }
    }
}
