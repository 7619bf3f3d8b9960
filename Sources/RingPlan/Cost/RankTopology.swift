package import RingCore

/// Which ranks share a host, and how many processors they share.
///
/// Ranks are placed in blocks: 0 to k-1 on the first host, and so on, as launchers do. Where hosts differ, the
/// fullest stands for all.
package struct RankTopology: Sendable, Hashable {
    /// How many ranks there are.
    package var worldSize: Int
    /// How many of them are on one host.
    package var ranksPerHost: Int
    /// How many processors a host has for them.
    package var processors: Int

    /// Creates a topology; without a number of ranks a host, all are on one.
    package init(worldSize: Int, ranksPerHost: Int? = nil, processors: Int) {
        self.worldSize = worldSize
        self.ranksPerHost = max(1, min(ranksPerHost ?? worldSize, worldSize))
        self.processors = max(1, processors)
    }

    /// How many hosts there are.
    package var hosts: Int { (worldSize + ranksPerHost - 1) / ranksPerHost }

    /// Whether ranks must take turns on a processor.
    package var isCrowded: Bool { ranksPerHost > processors }

    /// The number of a rank's host.
    package func host(of rank: Rank) -> Int { rank / ranksPerHost }
}
