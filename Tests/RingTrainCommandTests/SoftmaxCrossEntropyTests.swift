import Foundation
import Testing

@testable import RingTrainCommand

@Suite struct SoftmaxCrossEntropyTests {
    private func evaluate(_ scores: [[Float]], _ labels: [UInt8]) -> (metrics: Metrics, gradient: [Float]) {
        let buffer = FloatBuffer(scores.flatMap { $0 })
        let matrix = Matrix(buffer.start, rows: scores.count, columns: scores.first?.count ?? 1)
        return (SoftmaxCrossEntropy.evaluate(scores: matrix, labels: labels), buffer.values)
    }

    @Test func matchesItsDefinition() {
        let scores: [Float] = [0.5, -1, 2, 0]
        let exponentials = scores.map { exp(Double($0)) }
        let sum = exponentials.reduce(0, +)
        for label in 0..<4 {
            let (metrics, gradient) = evaluate([scores], [UInt8(label)])
            #expect(abs(metrics.lossSum + log(exponentials[label] / sum)) < 1e-6)
            #expect(metrics.correctCount == (label == 2 ? 1 : 0))
            #expect(metrics.sampleCount == 1)
            for index in 0..<4 {
                let expected = exponentials[index] / sum - (index == label ? 1 : 0)
                #expect(abs(Double(gradient[index]) - expected) < 1e-6)
            }
        }
    }

    @Test func sumsOverSamples() {
        let (metrics, _) = evaluate([[1, 0], [1, 0], [0, 1]], [0, 1, 1])
        #expect(metrics.sampleCount == 3 && metrics.correctCount == 2)
        #expect(abs(metrics.accuracy - 2.0 / 3) < 1e-12)
        let single = evaluate([[1, 0]], [0]).metrics.lossSum + evaluate([[1, 0]], [1]).metrics.lossSum
        #expect(abs(metrics.lossSum - single - evaluate([[0, 1]], [1]).metrics.lossSum) < 1e-6)
    }

    @Test func hugeScoresDoNotOverflow() {
        let (metrics, gradient) = evaluate([[1e30, -1e30, 0]], [0])
        #expect(metrics.lossSum == 0 && metrics.correctCount == 1)
        #expect(gradient == [0, 0, 0])
    }

    @Test func equalScoresGoToTheFirstClass() {
        #expect(evaluate([[0, 0, 0]], [0]).metrics.correctCount == 1)
        #expect(evaluate([[0, 0, 0]], [1]).metrics.correctCount == 0)
    }

    @Test(arguments: [Float.nan, .infinity], 0..<3)
    func scoresThatAreNotFiniteShow(value: Float, position: Int) {
        var scores: [Float] = [1, 2, 3]
        scores[position] = value
        for label in UInt8(0)..<3 {
            let (metrics, _) = evaluate([scores], [label])
            #expect(!metrics.lossSum.isFinite)
            #expect(metrics.correctCount == 0)
        }
    }

    @Test func noSamplesHaveNoLoss() {
        let metrics = evaluate([], []).metrics
        #expect(metrics == Metrics() && metrics.meanLoss == 0 && metrics.accuracy == 0)
    }
}
