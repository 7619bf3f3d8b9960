import Foundation

/// The digits data set: 1,797 images of 8 x 8 pixels from 0 to 16, ten classes, carried by the program itself.
///
/// 1,437 images are for training and 360 for testing. Which ones is decided by one fixed shuffle, whatever seed
/// a training run has, so that accuracies of different runs can be compared.
enum DigitsDataset {
    static let trainingCount = 1_437
    static let testCount = 360
    private static let pixelCount = 64
    private static let largestPixel: UInt8 = 16
    private static let classCount = 10
    /// The generator state from which the split is shuffled.
    private static let splitSeed: UInt64 = 0

    /// Reads the data set from the program's resources.
    static func load() throws -> Dataset {
        guard let url = Bundle.module.url(forResource: "digits.csv", withExtension: "gz") else {
            throw DataError(
                "digits.csv.gz",
                "is not in \(Bundle.module.bundlePath); install the program with its resources")
        }
        return try load(path: url.path)
    }

    /// Reads the data set from a file of 1,797 lines, each 64 pixels and the label, separated by commas.
    static func load(path: String) throws -> Dataset {
        let text = try GzipReader.contents(ofFile: path, limit: 1 << 24)
        let images = try parse(text, path: path)
        var generator = SplitMix64(state: splitSeed)
        let order = generator.permutation(of: images.count)
        return Dataset(
            name: DatasetName.digits.rawValue,
            training: select(order[..<trainingCount], from: images),
            test: select(order[trainingCount...], from: images),
            classCount: classCount)
    }

    private static func parse(_ text: [UInt8], path: String) throws -> LabelledImages {
        var pixels: [UInt8] = []
        var labels: [UInt8] = []
        for (number, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
            let values = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
                .map { UInt8(String(decoding: $0, as: UTF8.self)) }
            guard values.count == pixelCount + 1 else {
                throw DataError(
                    path, "line \(number + 1) has \(values.count) values where \(pixelCount + 1) are expected"
                )
            }
            for case let (position, value) in values.enumerated() {
                let limit = position < pixelCount ? largestPixel : UInt8(classCount - 1)
                guard let value, value <= limit else {
                    let what = position < pixelCount ? "pixel" : "label"
                    throw DataError(
                        path, "line \(number + 1) has a \(what) that is no number from 0 to \(limit)")
                }
                if position < pixelCount { pixels.append(value) } else { labels.append(value) }
            }
        }
        guard labels.count == trainingCount + testCount else {
            throw DataError(
                path, "has \(labels.count) images where \(trainingCount + testCount) are expected")
        }
        return LabelledImages(pixelCount: pixelCount, pixels: pixels, labels: labels)
    }

    private static func select(_ indices: ArraySlice<Int32>, from images: LabelledImages) -> LabelledImages {
        LabelledImages(
            pixelCount: pixelCount,
            pixels: indices.flatMap { images.pixels[(Int($0) * pixelCount)..<((Int($0) + 1) * pixelCount)] },
            labels: indices.map { images.labels[Int($0)] })
    }
}
