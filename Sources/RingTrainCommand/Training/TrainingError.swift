import RingCore

/// Why a training run ended without a result.
struct TrainingError: Error, Equatable, CustomStringConvertible {
    /// What went wrong and what to do about it, in one line.
    var message: String
    /// Whether every rank found out the same, so that one of them telling it is enough.
    var isKnownToAllRanks: Bool

    var description: String { message }
}

/// Makes sure that something is the same on all ranks.
enum RankAgreement {
    /// Compares a digest over the ranks; throws the same error on all of them if one differs from rank 0's.
    ///
    /// `advice` says what to do about it.
    static func check(
        _ digest: [UInt8], of what: String, advice: String, over exchange: any GradientExchange
    ) throws {
        let digests = try exchange.allGather(digest)
        let different = (0..<exchange.worldSize).filter { rank in
            !digests[(rank * digest.count)..<((rank + 1) * digest.count)].elementsEqual(
                digests[..<digest.count])
        }
        guard different.isEmpty else {
            throw TrainingError(
                message: "\(list(different)) \(different.count == 1 ? "differs" : "differ") from rank 0 "
                    + "in \(what); \(advice)",
                isKnownToAllRanks: true)
        }
    }

    /// The ranks as a person lists them: `rank 2`, `ranks 1 and 3`, `ranks 1, 2 and 5`.
    static func list(_ ranks: [Rank]) -> String {
        guard let last = ranks.last, ranks.count > 1 else {
            return "rank \(ranks.first.map(String.init) ?? "-")"
        }
        return "ranks \(ranks.dropLast().map(String.init).joined(separator: ", ")) and \(last)"
    }
}
