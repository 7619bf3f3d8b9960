package import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A rank's way to the job's store, and on rank 0 the store's server too; it lives as long as the job may
/// bootstrap communicators.
package final class JobStore: Sendable {
    /// The store.
    package let store: any Store

    private let server: TCPStoreServer?

    /// Opens the store that the launcher's environment names: rank 0 serves it, all ranks connect.
    ///
    /// A job of one rank without a store gets one in memory. It blocks its thread.
    package init(
        _ launch: LaunchEnvironment, identity: String, deadline: Deadline,
        onWarning: @escaping StoreWarning = { _ in }
    ) throws {
        switch launch.store {
        case nil:
            guard launch.worldSize == 1 else {
                throw CollectiveError(
                    .invalidConfiguration,
                    "a job of \(launch.worldSize) ranks needs a store to find each other")
            }
            server = nil
            store = InMemoryStore()
        case .file(let directory):
            server = nil
            store = try FileStore(directory: directory, job: launch.jobIdentifier ?? "job")
        case .tcp(let host, let port):
            let secret = launch.jobSecret
            if launch.rank == 0 {
                let server = try TCPStoreServer(
                    host: host, port: port, secret: secret, identity: identity, onWarning: onWarning)
                self.server = server
                store = try TCPStore(
                    host: server.ownHost, port: server.port, secret: secret, by: deadline,
                    onWarning: onWarning)
            } else {
                server = nil
                store = try TCPStore(
                    host: host, port: port, secret: secret, by: deadline, onWarning: onWarning)
            }
        }
    }

    deinit {
        close()
    }

    /// Ends this rank's use of the store, and on rank 0 the store. May be repeated.
    package func close() {
        store.close()
        server?.close()
    }
}

/// How this process is named in messages.
package enum ProcessIdentity {
    /// The host's name and the process's number: `host gpu1, process 4711`.
    package static var current: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "host \(host), process \(getpid())"
    }
}
