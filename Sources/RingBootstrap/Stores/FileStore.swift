public import RingCore
import RingSystem
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A store in a directory that all hosts share, one file a key.
///
/// It works on network file systems: a value is written to a file of its own first and then given its name
/// by `rename` or, where it must not exist yet, by `link`, both atomic there too. Waiting is asking again,
/// every 2 ms at first and every 50 ms later. A file store cannot see a process die (a dead rank is one that
/// does not arrive by the deadline), and a file system that hangs is waited for beyond any deadline.
///
/// Each job must have a folder of its own, or keys of an earlier job would be taken for this one's: give
/// every run another directory or another job name.
public final class FileStore: Store {
    /// The job's own folder.
    public let folder: String

    private let temporaryCount = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)
    /// Tells this process's temporary files from those of other hosts' processes.
    private let token: String

    /// Opens the folder of the job `job` in `directory`, and creates whichever of the two does not exist.
    public init(directory: String, job: String) throws {
        guard !directory.isEmpty, !directory.utf8.contains(0) else {
            throw CollectiveError(.invalidConfiguration, "a file store needs the name of a directory")
        }
        try StoreLimits.check(key: job)
        folder = directory + "/ring-" + Self.fileName(of: job).dropFirst()
        token = JobAuthenticator.makeNonce().prefix(8).map { hexadecimal($0) }.joined()
        for path in [directory, folder] where mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw Self.failure("the store directory \(path) cannot be created", SystemError("mkdir"))
        }
        guard access(folder, R_OK | W_OK | X_OK) == 0 else {
            throw Self.failure("the store directory \(folder) cannot be used", SystemError("access"))
        }
    }

    public var outlivesJob: Bool { true }

    public func close() {
        isClosed.store(true, ordering: .releasing)
    }

    public func set(_ key: String, to value: [UInt8], by deadline: Deadline) throws {
        try checkOpen()
        try StoreLimits.check(key: key)
        let temporary = try writeTemporary(value)
        guard rename(temporary, path(of: key)) == 0 else {
            let error = SystemError("rename")
            unlink(temporary)
            throw writeFailure(error)
        }
    }

    public func setIfAbsent(_ key: String, to value: [UInt8], by deadline: Deadline) throws -> [UInt8]? {
        try StoreLimits.check(key: key)
        while true {
            try checkOpen()
            let temporary = try writeTemporary(value)
            defer { unlink(temporary) }
            if link(temporary, path(of: key)) == 0 { return nil }
            let error = SystemError("link")
            // Over NFS a link whose answer was lost is repeated and then fails on itself; the count of
            // names tells.
            var status = stat()
            if stat(temporary, &status) == 0, status.st_nlink == 2 { return nil }
            guard error.number == EEXIST else { throw writeFailure(error) }
            if let existing = try read(key) { return existing }
            // Removed in between: it is absent again.
            if deadline.hasPassed {
                throw CollectiveError(.timedOut, "the key \(key) kept changing in \(folder)")
            }
        }
    }

    public func values(
        of keys: [String], interruptedBy interruption: String?, by deadline: Deadline
    ) throws -> [[UInt8]] {
        try StoreLimits.check(keys: keys, interruption: interruption)
        var found: [[UInt8]] = []
        var pause: Int32 = 2
        while true {
            try checkOpen()
            if let interruption, let value = try read(interruption) {
                throw CollectiveError.interrupted(interruption, value: value)
            }
            // In order, so that each round begins where the last one stopped.
            while found.count < keys.count, let value = try read(keys[found.count]) { found.append(value) }
            if found.count == keys.count { return found }
            if deadline.hasPassed {
                let missing = try keys[found.count...].filter { try read($0) == nil }
                if missing.isEmpty { continue }
                throw CollectiveError.missing(missing, in: folder)
            }
            _ = poll(nil, 0, max(1, deadline.remainingMilliseconds(atMost: pause)))
            pause = min(50, pause + 2)
        }
    }

    public func remove(_ key: String, by deadline: Deadline) throws -> Bool {
        try checkOpen()
        try StoreLimits.check(key: key)
        if unlink(path(of: key)) == 0 { return true }
        let error = SystemError("unlink")
        if error.number == ENOENT { return false }
        throw writeFailure(error)
    }

    public func removeAll(withPrefix prefix: String, by deadline: Deadline) throws -> Int {
        try checkOpen()
        guard let directory = opendir(folder) else { throw writeFailure(SystemError("opendir")) }
        defer { closedir(directory) }
        var keys: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let key = Self.key(ofFile: name), key.utf8.starts(with: prefix.utf8) { keys.append(key) }
        }
        return try keys.filter { try remove($0, by: deadline) }.count
    }
}

extension FileStore {
    private func path(of key: String) -> String { folder + "/" + Self.fileName(of: key) }

    private func checkOpen() throws {
        if isClosed.load(ordering: .acquiring) {
            throw CollectiveError(.closed, "the file store \(folder) was closed")
        }
    }

    /// A key's value, nil if it has none.
    private func read(_ key: String) throws -> [UInt8]? {
        do {
            let value = try FileDescriptor.open(path(of: key)).contents(atMost: StoreLimits.valueBytes + 1)
            guard value.count <= StoreLimits.valueBytes else {
                throw CollectiveError(.protocolViolation, "the value of \(key) in \(folder) is too large")
            }
            return value
        } catch let error as SystemError {
            // ESTALE: over NFS, a file that was replaced while it was being opened or read.
            if error.number == ENOENT || error.number == ESTALE { return nil }
            throw Self.failure("the key \(key) cannot be read in \(folder)", error)
        }
    }

    /// Writes the value to a new file that no key leads to.
    private func writeTemporary(_ value: [UInt8]) throws -> String {
        try StoreLimits.check(value: value)
        let count = temporaryCount.wrappingAdd(1, ordering: .relaxed).newValue
        let path = "\(folder)/.new-\(token)-\(count)"
        do {
            let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL)
            try file.write(value)
            // A full disk or a server's refusal may show only here.
            try SystemCall.check("fsync") { fsync(file.number) }
        } catch {
            unlink(path)
            throw writeFailure(error)
        }
        return path
    }

    private func writeFailure(_ error: SystemError) -> CollectiveError {
        Self.failure("the store directory \(folder) cannot be written", error)
    }

    private static func failure(_ what: String, _ error: SystemError) -> CollectiveError {
        CollectiveError(.system, "\(what): \(error.reason)", cause: error)
    }
}
