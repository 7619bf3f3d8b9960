import Foundation
import RingProcessSupport
import Testing

/// Waits until all ranks have connected, and have done what they do once.
func awaitReady(_ ranks: [RankProcess], within seconds: Double = 100) throws {
    for rank in ranks {
        try #require(
            rank.line(beginning: "ready", within: seconds) != nil,
            "rank \(rank.rank) said: \(rank.transcript)")
    }
}

/// All ranks but the victim must end with an error that names it.
func expectAll(_ ranks: [RankProcess], name victim: Int, within seconds: Double) {
    let limit = Date(timeIntervalSinceNow: seconds)
    for rank in ranks where rank.rank != victim {
        let line = rank.line(beginning: "peer", within: max(0, limit.timeIntervalSinceNow))
        #expect(line?.hasPrefix("peer \(victim):") == true, "rank \(rank.rank) said: \(rank.transcript)")
    }
}
