using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using OllamaMax.Bench.Reporting;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Vocabularies;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Bench.Translation;

/// <summary>How many prompts are counted in a second, short and long ones, by the counter alone and by an edge.</summary>
internal static class CountRate
{
    private const double LeastShort = 1000;
    private const int Clients = 8;
    private const int ShortWords = 20;
    private const int LongWords = 750;
    private const int Prompts = 500;
    private const int LexiconWords = 5000;

    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    public static async Task MeasureAsync(
        SplitSystem system, string file, string model, TranslationSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        report("translation: counting tokens");
        Table table = result.Add(new Table(
            "Prompts counted",
            $"Of words from {LexiconWords} random ones, some more often than others, no prompt like another. Alone: the counter on one thread. Over HTTP: {Clients} clients beside the edge on the same machine; its template is rendered too.",
            ["prompts", "a second", "edge, ms each"]));
        using FileStream gguf = File.OpenRead(file);
        TokenCounter counter = TokenCounter.For(GgufReader.ReadVocabulary(gguf)) ?? throw new InvalidOperationException("The vocabulary is of no kind that is known.");
        foreach (int words in (int[])[ShortWords, LongWords])
            table.Add($"{words} words, alone", Alone(counter, words, sizes), double.NaN);
        foreach (int words in (int[])[ShortWords, LongWords])
        {
            (double rate, double cpu) = await OverHttpAsync(system, model, words, sizes, cancellationToken);
            table.Add($"{words} words, over HTTP", rate, cpu);
            if (words == ShortWords)
                result.Aim("prompts counted a second over HTTP, short", rate, LeastShort, atMost: false);
        }
    }

    private static double Alone(TokenCounter counter, int words, TranslationSizes sizes)
    {
        string[] prompts = [.. Enumerable.Range(0, Prompts).Select(seed => Words(words, seed))];
        counter.Count(Words(words, Prompts)); // Compiles the vocabulary's expressions.
        long counted = 0;
        long start = Stopwatch.GetTimestamp();
        for (; Stopwatch.GetElapsedTime(start) < sizes.CountTime; counted++)
            counter.Count(prompts[counted % prompts.Length]);
        return counted / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<(double Rate, double Cpu)> OverHttpAsync(
        SplitSystem system, string model, int words, TranslationSizes sizes, CancellationToken cancellationToken)
    {
        string[] bodies = [.. Enumerable.Range(0, Prompts).Select(seed => $"{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"{Words(words, seed)}\"}}]}}")];
        await RunAsync(sizes.CountWarmUp);
        TimeSpan before = LinuxProcesses.CpuTimeOf(system.EdgePid);
        long start = Stopwatch.GetTimestamp();
        int counted = await RunAsync(sizes.CountTime);
        double rate = counted / Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (rate, (LinuxProcesses.CpuTimeOf(system.EdgePid) - before).TotalMilliseconds / counted);

        async Task<int> RunAsync(TimeSpan time)
        {
            long from = Stopwatch.GetTimestamp();
            int[] done = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => AskAsync(client, from, time), cancellationToken)));
            return done.Sum();
        }

        async Task<int> AskAsync(int client, long from, TimeSpan time)
        {
            int count = 0;
            for (int next = client; Stopwatch.GetElapsedTime(from) < time; count++, next += Clients)
            {
                using StringContent content = new(bodies[next % bodies.Length], Encoding.UTF8, s_json);
                using HttpResponseMessage response = await system.Client.PostAsync(new Uri("/v1/messages/count_tokens", UriKind.Relative), content, cancellationToken);
                response.EnsureSuccessStatusCode();
            }
            return count;
        }
    }

    private static string Words(int count, int seed)
    {
        Random random = new(seed);
        // The first words of the lexicon are the common ones.
        return string.Join(' ', Enumerable.Range(0, count).Select(_ => Word((int)(LexiconWords * Math.Pow(random.NextDouble(), 3)))));
    }

    private static string Word(int number)
    {
        Random random = new(number);
        return string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => (char)random.Next('a', 'z' + 1)));
    }
}
