import RingCore

/// Which of the job's ranks make up a communicator.
struct Roster: Sendable, Hashable {
    /// The communicator's number: 0 for the job's first.
    var communicator: UInt32
    /// By rank of the communicator, the rank of the job.
    var members: [Rank]
    /// This process's rank in the communicator.
    var rank: Rank

    /// The job's first communicator, in which each rank has the job's number.
    static func whole(rank: Rank, worldSize: Int) -> Roster {
        Roster(communicator: 0, members: Array(0..<worldSize), rank: rank)
    }

    /// Communicators of more ranks than this do not list them in errors.
    private static let mostListed = 8

    /// The error with what a reader needs who knows the job's ranks only; unchanged where the numbers are the same.
    func explain(_ error: CollectiveError) -> CollectiveError {
        var explained = error
        explained.message = explain(error.message, about: error.peer)
        return explained
    }

    /// The verdict, explained in the same way.
    func explain(_ verdict: Verdict) -> Verdict {
        var explained = verdict
        explained.message = explain(verdict.message, about: verdict.culprit)
        return explained
    }

    private func explain(_ message: String, about peer: Rank?) -> String {
        guard members != Array(members.indices) else { return message }
        func list(_ ranks: [Rank]) -> String {
            (ranks.count == 1 ? "rank " : "ranks ") + ranks.map(String.init).joined(separator: ", ")
        }
        let named =
            members.count <= Self.mostListed
            ? Array(members.indices) : [peer].compactMap { $0 }.filter { members.indices.contains($0) }
        guard !named.isEmpty else { return message }
        let suffix =
            " (in communicator \(communicator), whose \(list(named)) \(named.count == 1 ? "is" : "are") the job's "
            + "\(list(named.map { members[$0] })))"
        return message.hasSuffix(suffix) ? message : message + suffix
    }
}
