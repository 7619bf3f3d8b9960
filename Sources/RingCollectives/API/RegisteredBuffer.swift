public import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Elements in memory that a communicator's transport knows, so that collectives need not copy them.
///
/// ``Communicator/makeBuffer(of:count:)`` makes one. Over RDMA the memory is registered with the devices: what is sent leaves
/// from it, and what is received and not reduced arrives in it. Over TCP it is plain memory. It is page-aligned, and in huge
/// pages from 2 MiB on. Making one takes as long as locking that much memory, so buffers are to be used again and again.
///
/// Its elements are the caller's, except while an operation uses them. An operation that has been started keeps the buffer
/// alive, and so may everybody who needs the elements: the memory is given back when the last reference goes, which may
/// be after the communicator has been closed. Ranks need not agree: some may give a buffer of this type and others plain
/// memory.
public final class RegisteredBuffer<Element: CollectiveElement>: @unchecked Sendable {
    // The elements are guarded by the contract of `CollectiveOperation`: nobody touches them while an operation does.

    /// How many elements it has.
    public let count: Int
    let memory: BufferMemory

    init(count: Int, memory: BufferMemory) {
        self.count = count
        self.memory = memory
    }

    /// The elements, for as long as the buffer lives.
    public var elements: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(
            start: memory.bytes.baseAddress!.assumingMemoryBound(to: Element.self), count: count)
    }

    /// Replaces the elements by others, of which there must be as many.
    public func update(from source: some Collection<Element>) {
        precondition(source.count == count, "\(source.count) elements for a buffer of \(count)")
        _ = elements.update(fromContentsOf: source)
    }
}

extension RegisteredBuffer: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(index: Int) -> Element {
        get {
            precondition(indices.contains(index), "there is no element \(index) of \(count)")
            return elements[index]
        }
        set {
            precondition(indices.contains(index), "there is no element \(index) of \(count)")
            elements[index] = newValue
        }
    }
}

/// A registered buffer's memory.
final class BufferMemory: @unchecked Sendable {
    // The pointer never changes; what it points at is guarded as the buffer says.
    let bytes: UnsafeMutableRawBufferPointer
    private var registration: (any MemoryRegistration)?

    /// Zeros, `byteCount` of them at least, registered with the transport if that has a use for it.
    init(byteCount: Int, transport: (any Transport)?) throws {
        guard let pages = PageMemory.allocate(atLeast: byteCount) else {
            throw CollectiveError(.system, "no memory for a buffer of \(byteCount) bytes")
        }
        memset(pages.baseAddress!, 0, pages.count)
        bytes = pages
        registration = try transport?.register(pages)
    }

    deinit {
        // No device may know it when it is given back.
        registration = nil
        free(bytes.baseAddress)
    }
}

extension Communicator {
    /// Makes a buffer of `count` elements, all zero, whose collectives on this communicator copy nothing that need not be
    /// copied.
    ///
    /// Throws `.system` if there is not so much memory, or if it cannot be registered: the error then names the limit on
    /// locked memory, the need, and how to raise it.
    public func makeBuffer<Element: CollectiveElement>(
        of type: Element.Type = Element.self, count: Int
    ) throws -> RegisteredBuffer<Element> {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow else {
            throw CollectiveError(
                .invalidArgument, "rank \(rank): a buffer of \(count) elements is beyond any memory",
                peer: rank)
        }
        return try explaining {
            RegisteredBuffer(
                count: count, memory: try BufferMemory(byteCount: byteCount, transport: parts.transport))
        }
    }
}
