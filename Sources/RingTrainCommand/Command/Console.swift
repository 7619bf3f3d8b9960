import Foundation
import RingSystem

/// Where a rank tells a person how training goes: standard error, in lines, and on a terminal a progress bar.
final class Console {
    /// Whether standard error is a terminal.
    let isTerminal: Bool
    private let file: Int32
    private var hasProgress = false

    /// The console on a file descriptor, standard error unless told otherwise.
    init(file: Int32 = STDERR_FILENO) {
        self.file = file
        isTerminal = isatty(file) == 1
    }

    /// Writes a line, in place of the progress bar if there is one.
    func line(_ text: String) {
        write((hasProgress ? Self.eraseLine : "") + text + "\n")
        hasProgress = false
    }

    /// Shows `text`, made for the terminal's width, on a line that the next call replaces; elsewhere nothing.
    func progress(_ text: (_ width: Int) -> String) {
        guard isTerminal else { return }
        // The last column stays free: some terminals wrap when it is written.
        write(Self.eraseLine + text(max(1, width - 1)))
        hasProgress = true
    }

    /// Takes the progress bar away.
    func clearProgress() {
        if hasProgress { write(Self.eraseLine) }
        hasProgress = false
    }

    private var width: Int {
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes without complaint: a console that has gone away is no reason to stop training.
    private func write(_ text: String) {
        try? StandardStream(descriptor: file).write(text)
    }

    private static let eraseLine = "\r\u{1B}[K"
}
