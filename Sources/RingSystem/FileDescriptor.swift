#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// An open descriptor with one owner, who closes it by letting go.
package struct FileDescriptor: ~Copyable {
    /// The system's number. It stays valid as long as this value lives.
    package let number: Int32

    /// Takes over an open descriptor.
    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        // Closing reports errors of earlier writes only, which matter to files, not to sockets and events.
        _ = close(number)
    }
}

extension FileDescriptor {
    /// Opens a file, by default for reading; it is closed on exec.
    package static func open(
        _ path: String, _ flags: Int32 = O_RDONLY, mode: mode_t = 0o600
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try SystemCall.check("open") { systemOpen(path, flags | O_CLOEXEC, mode) })
    }

    /// Opens a file for writing, which is made if it does not exist and, unless it is to be kept, emptied if it does.
    package static func forWriting(_ path: String, keeping: Bool = false) throws(SystemError)
        -> FileDescriptor
    {
        try open(path, O_WRONLY | O_CREAT | (keeping ? 0 : O_TRUNC), mode: 0o666)
    }

    /// Reads to the end, or until there are `limit` bytes.
    package borrowing func contents(atMost limit: Int) throws(SystemError) -> [UInt8] {
        let number = number
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(limit, 16_384))
        while bytes.count < limit {
            let wanted = min(piece.count, limit - bytes.count)
            let count = try SystemCall.check("read") { read(number, &piece, wanted) }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    /// Writes all the bytes, waiting for room where need be.
    package borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        try Self.write(bytes, to: number)
    }

    /// Writes all the bytes to a descriptor that has another owner, such as the standard output.
    package static func write(_ bytes: [UInt8], to number: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try SystemCall.check("write") {
                bytes[written...].withUnsafeBytes { systemWrite(number, $0.baseAddress, $0.count) }
            }
        }
    }
}

// The system's functions, under names that the methods above do not hide.
private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

private func systemWrite(_ number: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(number, bytes, count)
}
