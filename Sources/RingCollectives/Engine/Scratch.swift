import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory for intermediate results, kept from one operation to the next; it only grows.
final class Scratch {
    private(set) var memory: UnsafeMutableRawPointer?
    private(set) var byteCount = 0
    /// The transport's knowledge of it, or whether it has refused.
    private var registration: (any MemoryRegistration)?
    private var isRefused = false

    deinit {
        registration = nil
        free(memory)
    }

    /// Provides at least `count` bytes, page-aligned. Growing loses the contents.
    func reserve(_ count: Int) {
        guard count > byteCount else { return }
        (registration, isRefused) = (nil, false)
        free(memory)
        let pages = PageMemory.allocate(atLeast: count)
        precondition(pages != nil, "out of memory: \(count) bytes of scratch")
        (memory, byteCount) = (pages!.baseAddress, pages!.count)
    }

    /// Makes it known to the transport, if it is not; what the transport cannot take is copied.
    func register(with transport: any Transport) {
        guard let memory, registration == nil, !isRefused else { return }
        registration = try? transport.register(
            UnsafeMutableRawBufferPointer(start: memory, count: byteCount))
        isRefused = registration == nil
    }
}
