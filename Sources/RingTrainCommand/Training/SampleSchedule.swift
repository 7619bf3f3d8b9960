import RingCore

/// Which samples each step of an epoch takes, and which of them belong to each rank.
///
/// Every epoch visits every sample exactly once, in an order drawn from the seed. A step takes the next global
/// batch of that order, the last one what is left; a batch is split over the ranks as evenly as can be, so a rank
/// may have one sample fewer than another, or none.
struct SampleSchedule: Sendable, Equatable {
    /// How many samples an epoch visits.
    let sampleCount: Int
    /// How many samples all ranks together take in a step.
    let batchSize: Int
    /// How many ranks share a batch.
    let worldSize: Int
    /// What the orders are drawn from.
    let seed: UInt64

    init(sampleCount: Int, batchSize: Int, worldSize: Int, seed: UInt64) {
        precondition(sampleCount >= 1 && batchSize >= 1 && worldSize >= 1, "an empty schedule")
        self.sampleCount = sampleCount
        // A batch larger than the data is all of the data.
        self.batchSize = min(batchSize, sampleCount)
        self.worldSize = worldSize
        self.seed = seed
    }

    /// How many steps an epoch has.
    var stepsPerEpoch: Int { (sampleCount + batchSize - 1) / batchSize }

    /// The most samples that one rank has in one step.
    var largestShare: Int { Partition(count: batchSize, parts: worldSize).largest }

    /// The order in which an epoch visits the samples: the same on all ranks.
    func order(ofEpoch epoch: Int) -> [Int32] {
        var generator = SplitMix64(seed: seed, stream: .sampleOrder, index: epoch)
        return generator.permutation(of: sampleCount)
    }

    /// The positions in an epoch's order that a step takes, on all ranks together.
    func batch(_ step: Int) -> Range<Int> {
        precondition(step >= 0 && step < stepsPerEpoch, "step \(step) of \(stepsPerEpoch)")
        return (step * batchSize)..<min(sampleCount, (step + 1) * batchSize)
    }

    /// The positions in an epoch's order that one rank takes in a step.
    func share(ofRank rank: Rank, step: Int) -> Range<Int> {
        let batch = batch(step)
        let part = Partition(count: batch.count, parts: worldSize)[rank]
        return (batch.lowerBound + part.lowerBound)..<(batch.lowerBound + part.upperBound)
    }
}
