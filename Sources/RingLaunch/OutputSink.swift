#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The launcher's standard output or error, written without ever blocking on a reader that is slow.
///
/// The descriptor is shared with other processes, so it is not made non-blocking: as much is written as a
/// pipe that polls as writable is sure to take.
struct OutputSink {
    let descriptor: Int32
    /// Lines that are still to be written.
    var pending: [UInt8] = []
    /// Nobody reads any more.
    private(set) var isBroken = false

    private var written = 0

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// While so much is pending, the ranks' pipes are left to fill.
    static let mostPending = 1 << 20

    var hasPending: Bool { !pending.isEmpty }
    var isFull: Bool { pending.count - written > Self.mostPending }

    /// Whether the last thing written was not the end of a line.
    var isWithinLine: Bool { written > 0 && pending[written - 1] != UInt8(ascii: "\n") }

    /// Writes what can be written now.
    mutating func flush() {
        while hasPending && isWritable {
            let count = pending.withUnsafeBytes {
                write(descriptor, $0.baseAddress! + written, min(4096, $0.count - written))
            }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                isBroken = true
            } else {
                written += count
            }
            if isBroken || written == pending.count {
                pending.removeAll(keepingCapacity: true)
                written = 0
            } else if written > 1 << 16, !isWithinLine {
                pending.removeFirst(written)
                written = 0
            }
        }
    }

    /// Whether a write would not block. A closed reader counts: the write then fails at once.
    private var isWritable: Bool {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
        return poll(&descriptors, 1, 0) > 0
    }
}
