import RingCore

extension Engine {
    /// Finds out, with the other ranks' help, why an operation failed.
    func judge(_ error: any Error) -> CollectiveError {
        guard let watchdog = context.watchdog else { return Self.wrap(error, rank: rank) }
        if let verdict = watchdog.verdict { return verdict.error }
        switch error {
        case let expired as OperationExpired: return watchdog.expired(waitingFor: expired.waitingFor).error
        case let error as CollectiveError where error.code == .timedOut:
            return watchdog.expired(waitingFor: error.peer).error
        case let error as CollectiveError where error.code == .peerLost || error.code == .unreachable:
            guard let peer = error.peer else { return watchdog.report(error).error }
            return watchdog.reportLoss(of: peer, error).error
        default: return watchdog.report(Self.wrap(error, rank: rank)).error
        }
    }

    /// The error as the other ranks are told it: of the system's errors, what names nobody is this rank's own trouble.
    private static func wrap(_ error: any Error, rank: Rank) -> CollectiveError {
        guard let known = error as? CollectiveError else {
            return CollectiveError(.system, "rank \(rank): a system call failed", peer: rank, cause: error)
        }
        guard known.code == .system, known.peer == nil else { return known }
        return CollectiveError(.system, "rank \(rank) \(known.message)", peer: rank, cause: known.cause)
    }
}
