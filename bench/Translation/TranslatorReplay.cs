using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Bench.Translation;

/// <summary>An answer through an API's translators alone: its request read, its tokens taken apart, its pieces written.</summary>
internal sealed class TranslatorReplay
{
    private static readonly JobOutput.Finished s_end = new(FinishReason.Length, new()
    {
        TotalDuration = TimeSpan.FromSeconds(1),
        LoadDuration = TimeSpan.Zero,
        PromptTokens = 20,
        PromptDuration = TimeSpan.FromMilliseconds(1),
        Tokens = 1000,
        EvalDuration = TimeSpan.FromSeconds(1),
        Attempts = 1,
    });

    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly AnswerApi _api;
    private readonly byte[] _request;
    private readonly Chunk[] _chunks;

    /// <param name="api">Whose translators.</param>
    /// <param name="request">The body as it was sent.</param>
    /// <param name="pieces">As clients got them; their tokens are spread over them evenly.</param>
    /// <param name="tokens">Of the answer.</param>
    public TranslatorReplay(AnswerApi api, string request, IReadOnlyList<string> pieces, int tokens)
    {
        _api = api;
        _request = Encoding.UTF8.GetBytes(request);
        _chunks = [.. pieces.Select((piece, i) => ChunkOf(piece, tokens * i / pieces.Count, tokens * (i + 1) / pieces.Count))];
    }

    /// <returns>Bytes that were written.</returns>
    public long Run()
    {
        using JsonDocument body = JsonDocument.Parse(_request);
        IAnswerFormat format = _api.Translate(new JsonFields(body.RootElement, "", new()));
        using IDisposable? dispose = format as IDisposable;
        Assembler assembler = new([]);
        long written = 0;
        foreach (Chunk chunk in _chunks)
        {
            Assembled text = assembler.Append(chunk);
            format.WriteDelta(_output, 0, new(text.Text, assembler.Tokens) { Thinking = text.Thinking, ToolCalls = text.ToolCalls });
            written += Take();
        }
        format.WriteEnd(_output, 0, s_end);
        return written + Take();
    }

    /// <summary>Processor time of one answer: the median of many, on this thread.</summary>
    public TimeSpan Measure(int times)
    {
        Reporting.Samples samples = new();
        for (int i = 0; i < times; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Run();
            samples.Add(Stopwatch.GetElapsedTime(start));
        }
        return TimeSpan.FromMilliseconds(samples.Median);
    }

    private long Take()
    {
        long written = _output.WrittenCount;
        _output.ResetWrittenCount();
        return written;
    }

    private static Chunk ChunkOf(string piece, int from, int to)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(piece);
        int count = to - from;
        int[] lengths = [.. Enumerable.Range(0, count).Select(i => (bytes.Length * (i + 1) / count) - (bytes.Length * i / count))];
        return new(from, [.. Enumerable.Range(from, count)], lengths, count > 0 ? bytes : []);
    }
}
