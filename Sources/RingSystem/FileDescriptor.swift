#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
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
