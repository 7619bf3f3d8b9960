import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the RDMA transport's failures are called in public: one line each that says what to do.
enum RDMAErrors {
    /// The transport cannot begin.
    static func begin(_ error: SystemError, rank: Rank) -> CollectiveError {
        switch error.number {
        case EACCES, EPERM:
            CollectiveError(
                .system,
                "rank \(rank) may not use this host's RDMA devices: access to the files in /dev/infiniband is "
                    + "denied; give this user their group, or use tcp", peer: rank, cause: error)
        case ENOENT, ENODEV, ENXIO, ENOSYS:
            noDevice(rank: rank, cause: error)
        default:
            CollectiveError(
                .system, "rank \(rank) cannot use RDMA: \(error)", peer: rank, cause: error)
        }
    }

    static func noDevice(rank: Rank, cause: (any Error)? = nil) -> CollectiveError {
        CollectiveError(
            .unsupported,
            "rank \(rank): this host has no RDMA device that is ready, as 'ringbench devices' shows; load its "
                + "driver and rdma_ucm, or use tcp", peer: rank, cause: cause)
    }

    /// An end of a connection cannot be set up.
    static func setUp(_ failure: PartsFailure, rank: Rank) -> CollectiveError {
        switch failure {
        case .system(let error):
            return CollectiveError(
                .system, "rank \(rank) cannot set up an RDMA connection: \(error)", peer: rank, cause: error)
        case .memory(let error, let byteCount):
            return CollectiveError(
                .system, "rank \(rank) \(lack(of: byteCount, error))", peer: rank, cause: error)
        }
    }

    /// That memory cannot be registered, and what to do: `cannot lock another 4096 bytes ...`.
    static func lack(of byteCount: Int, _ error: SystemError) -> String {
        guard error.number == ENOMEM, let limit = LockedMemory.limit else {
            return "cannot register \(byteCount) bytes for RDMA: \(error)"
        }
        return "cannot lock another \(byteCount) bytes for RDMA: the limit on locked memory is "
            + "\(limit) bytes; raise it with 'ulimit -l unlimited', LimitMEMLOCK=infinity in a systemd "
            + "unit, or memlock in /etc/security/limits.conf"
    }

    /// A connection of this end failed while it was being set up.
    static func setUp(_ failure: RDMAFailure, rank: Rank, peer: Rank, _ peerText: String) -> CollectiveError {
        switch failure {
        case .ended, .closed:
            CollectiveError(
                .peerLost, "\(peerText) closed a connection that rank \(rank) was making", peer: peer)
        case .completion(let operation, let status):
            CollectiveError(
                .peerLost, "rank \(rank)'s new connection to \(peerText) failed: \(operation): \(status)",
                peer: peer)
        case .system(let error): setUp(.system(error), rank: rank)
        case .memory(let error, let byteCount): setUp(.memory(error, byteCount: byteCount), rank: rank)
        case .violation(let what): CollectiveError(.protocolViolation, "\(peerText) \(what)", peer: peer)
        case .deviceRemoved:
            CollectiveError(.system, "rank \(rank)'s RDMA device has been removed", peer: rank)
        }
    }

    /// A step of a connection's making ended with an event that says no.
    static func refusal(
        _ event: ConnectionEvent, rank: Rank, peer: Rank, _ peerText: String
    ) -> CollectiveError {
        let reason = event.status < 0 ? ": \(SystemError("", -event.status).reason)" : ""
        switch event.kind {
        case .addressFailed:
            return CollectiveError(
                .unreachable,
                "rank \(rank) cannot resolve the RDMA address of \(peerText)\(reason); are both in one network of "
                    + "RDMA devices?", peer: peer)
        case .routeFailed:
            return CollectiveError(
                .unreachable, "rank \(rank) finds no RDMA route to \(peerText)\(reason)", peer: peer)
        case .rejected where event.status == noListener:
            return CollectiveError(
                .unreachable, "rank \(rank) cannot connect to \(peerText): nobody listens there", peer: peer)
        case .rejected:
            return CollectiveError(
                .unreachable,
                "rank \(rank) cannot connect to \(peerText): it rejected the connection, reason \(event.status); its "
                    + "log says why",
                peer: peer)
        case .disconnected:
            return CollectiveError(
                .peerLost, "\(peerText) closed a connection that rank \(rank) was making", peer: peer)
        case .deviceRemoved:
            return CollectiveError(.system, "rank \(rank)'s RDMA device has been removed", peer: rank)
        default:
            return CollectiveError(
                .unreachable, "rank \(rank) cannot connect to \(peerText)\(reason)", peer: peer)
        }
    }

    /// Why InfiniBand's connection manager rejects what nobody listens for.
    private static let noListener: Int32 = 8
}
