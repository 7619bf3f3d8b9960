import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds the file of a command as a shell does.
enum ExecutableSearch {
    /// The command's path: itself if it has a slash, else the first match in `PATH`.
    static func path(of command: String, searchPath: String? = nil) throws -> String {
        guard !command.isEmpty else {
            throw failure("the command is empty", exists: false)
        }
        if command.contains("/") {
            guard access(command, F_OK) == 0 else {
                throw failure("\(command) cannot be started: there is no such file", exists: false)
            }
            guard isExecutable(command) else {
                throw failure("\(command) cannot be started: it is not an executable file", exists: true)
            }
            return command
        }
        let list = searchPath ?? getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        var unusable: String?
        for directory in list.split(separator: ":", omittingEmptySubsequences: false) {
            let path = (directory.isEmpty ? "." : directory) + "/" + command
            if isExecutable(path) { return path }
            if access(path, F_OK) == 0 { unusable = unusable ?? path }
        }
        if let unusable {
            throw failure("\(unusable) cannot be started: it is not an executable file", exists: true)
        }
        throw failure("command not found: \(command) is in no directory of PATH", exists: false)
    }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    private static func failure(_ message: String, exists: Bool) -> CollectiveError {
        CollectiveError(.system, message, cause: CommandNotStarted(exists: exists))
    }
}
