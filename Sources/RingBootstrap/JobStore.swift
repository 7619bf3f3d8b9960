package import RingCore

/// A rank's way to the job's store, and on rank 0 the store's server too; it lives as long as the job may
/// bootstrap communicators.
package final class JobStore: Sendable {
    /// The store.
    package let store: any Store

    private let server: TCPStoreServer?

    /// Opens the store at this place: rank 0 serves it, if it needs a server, and all ranks connect.
    ///
    /// It blocks its thread. `identity` is how the server names this process in messages.
    package init(
        _ location: StoreLocation, rank: Rank, job: String, secret: [UInt8]?, identity: String,
        deadline: Deadline, onWarning: @escaping StoreWarning = { _ in }
    ) throws {
        switch location {
        case .file(let directory):
            server = nil
            store = try FileStore(directory: directory, job: job)
        case .tcp(let host, let port):
            let server =
                rank == 0
                ? try TCPStoreServer(
                    host: host, port: port, secret: secret, identity: identity, onWarning: onWarning) : nil
            // A server that is dropped here, since its own rank cannot connect, closes itself.
            store = try TCPStore(
                host: server?.ownHost ?? host, port: server?.port ?? port, secret: secret, by: deadline,
                onWarning: onWarning)
            self.server = server
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
