#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The process's standard output or standard error, written without a buffer of our own.
package struct StandardStream: Sendable {
    private let descriptor: Int32

    package static let output = StandardStream(descriptor: STDOUT_FILENO)
    package static let error = StandardStream(descriptor: STDERR_FILENO)

    /// A descriptor that stays another's.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Has writing to a pipe that nobody reads any more fail, where it would end the process without a word.
    package static func reportClosedPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Writes the whole text, or throws what keeps it from being written.
    package func write(_ text: String) throws(SystemError) {
        try FileDescriptor.write(Array(text.utf8), to: descriptor)
    }

    /// Writes one line, whole, so that lines of several processes do not mix; what cannot be written is lost.
    package func writeLine(_ line: String) {
        try? write(line + "\n")
    }
}
