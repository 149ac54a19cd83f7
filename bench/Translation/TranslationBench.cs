using OllamaMax.Bench.Reporting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Bench.Translation;

/// <summary>What the translators of the three APIs take of an edge's processor time, and how fast prompts are counted.</summary>
internal static class TranslationBench
{
    private const string Model = "translation";

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        if (!options.Wants("answers") && !options.Wants("count"))
            return;
        TranslationSizes sizes = options.Quick ? TranslationSizes.Quick : TranslationSizes.Full;
        sizes = sizes with { Answers = options.Repeats ?? sizes.Answers };
        options.Report("translation: starting the system");
        using TempFolder folder = new();
        string file = folder.File($"{Model}.gguf");
        GgufGenerator.Write(file, sizes.Model);
        string[] worker = ["--threads", "1", "--slots", $"{sizes.Clients}"];
        await using SplitSystem system = await SplitSystem.StartAsync(new() { Model = file, Workers = 1, WorkerArguments = worker }, cancellationToken);
        if (options.Wants("answers"))
            await AnswerShare.MeasureAsync(system, Model, sizes, result, options.Report, cancellationToken);
        if (options.Wants("count"))
            await CountRate.MeasureAsync(system, file, Model, sizes, result, options.Report, cancellationToken);
    }
}
