import Testing

@testable import RingTrainCommand

@Suite struct TrainerFailureTests {
    /// Runs every rank and returns the errors by rank.
    private func errors(
        ranks: Int, _ body: @escaping @Sendable (ThreadRank) throws -> Void
    ) -> [any Error] {
        ThreadGroup.run(ranks: ranks, body).compactMap { outcome in
            guard case .failure(let error) = outcome else { return nil }
            return error
        }
    }

    @Test func ranksWithOtherOptionsAreNamed() {
        let errors = errors(ranks: 4) { exchange in
            var settings = TrainingSettings.small()
            if exchange.rank % 2 == 1 { settings.batchSize += 1 }
            _ = try Trainer(settings: settings, dataset: RandomData.dataset(), exchange: exchange).run()
        }
        let expected = TrainingError(
            message: "ranks 1 and 3 differ from rank 0 in the options; start all ranks with the same options",
            isKnownToAllRanks: true)
        #expect(errors.map { $0 as? TrainingError } == Array(repeating: expected, count: 4))
    }

    @Test func ranksWithOtherDataAreNamed() {
        let errors = errors(ranks: 3) { exchange in
            let dataset = RandomData.dataset(training: exchange.rank == 2 ? 36 : 37)
            _ = try Trainer(settings: .small(), dataset: dataset, exchange: exchange).run()
        }
        let expected = TrainingError(
            message: "rank 2 differs from rank 0 in the data set random; give all ranks the same files",
            isKnownToAllRanks: true)
        #expect(errors.map { $0 as? TrainingError } == Array(repeating: expected, count: 3))
    }

    /// A rank whose sums come out otherwise in one bit, as with a collective that is not the same everywhere.
    private struct TamperingExchange: GradientExchange {
        let exchange: ThreadRank
        var rank: Int { exchange.rank }
        var worldSize: Int { exchange.worldSize }
        var traffic: Traffic { exchange.traffic }

        struct Tampered: PendingSum {
            let sum: any PendingSum
            let element: UnsafeMutablePointer<Float>

            func wait() throws {
                try sum.wait()
                element.pointee = Float(bitPattern: element.pointee.bitPattern ^ 1 << 20)
            }

            func cancel() { sum.cancel() }
        }

        func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum {
            Tampered(sum: try exchange.startSum(elements), element: elements.baseAddress!)
        }

        func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) throws {
            try exchange.broadcast(elements)
        }
        func sum(_ values: inout [Double]) throws { try exchange.sum(&values) }
        func allGather(_ bytes: [UInt8]) throws -> [UInt8] { try exchange.allGather(bytes) }
    }

    @Test func parametersThatDifferAreAnErrorThatNamesTheRanks() {
        let errors = errors(ranks: 3) { exchange in
            let own: any GradientExchange =
                exchange.rank == 1 ? TamperingExchange(exchange: exchange) : exchange
            _ = try Trainer(settings: .small(), dataset: RandomData.dataset(), exchange: own).run()
        }
        #expect(errors.count == 3)
        for error in errors {
            let message = (error as? TrainingError)?.message ?? ""
            #expect(message.hasPrefix("rank 1 differs from rank 0 in the trained parameters; "))
        }
    }

    @Test func trainingThatDivergesIsAnError() {
        let errors = errors(ranks: 2) { exchange in
            var settings = TrainingSettings.small(epochs: 20)
            settings.learningRate = 1e30
            _ = try Trainer(settings: settings, dataset: RandomData.dataset(), exchange: exchange).run()
        }
        #expect(errors.count == 2)
        for error in errors {
            let message = (error as? TrainingError)?.message ?? ""
            #expect(message.hasPrefix("the training loss is not finite any more in epoch "))
            #expect(message.hasSuffix("lower --learning-rate (now 1e+30)"))
        }
    }

    @Test func aRankThatFailsEndsTheOthers() {
        struct Sudden: Error {}
        let errors = errors(ranks: 3) { exchange in
            let trainer = Trainer(settings: .small(), dataset: RandomData.dataset(), exchange: exchange)
            if exchange.rank == 2 { throw Sudden() }
            _ = try trainer.run()
        }
        #expect(errors.count == 3)
        #expect(errors.last is Sudden)
        #expect(errors.dropLast().allSatisfy { $0 is ThreadGroup.Failure })
    }

    @Test func rankListsReadWell() {
        #expect(RankAgreement.list([2]) == "rank 2")
        #expect(RankAgreement.list([1, 3]) == "ranks 1 and 3")
        #expect(RankAgreement.list([1, 2, 5]) == "ranks 1, 2 and 5")
    }
}
