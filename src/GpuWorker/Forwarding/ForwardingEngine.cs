using System.Runtime.InteropServices;
using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// Runs jobs of one model on the server that has it. It knows no token ids, so nobody can go on with what it has begun: it gives pieces of text,
/// reasoning and calls as the server has taken them apart (<see cref="PieceKind"/>).
/// </summary>
/// <param name="server">How the server is reached.</param>
/// <param name="dialect">What it speaks.</param>
/// <param name="model">Its name for the model.</param>
/// <param name="slots">Of all the server's models together.</param>
/// <param name="slotCount">How many these are.</param>
/// <param name="failed">Told when the server does not answer as one that is there.</param>
internal sealed class ForwardingEngine(
    ServerConnection server, IServerDialect dialect, string model, SemaphoreSlim slots, int slotCount, Action failed, TimeProvider time) : IInferenceEngine
{
    private readonly CancellationTokenSource _disposed = new();
    private long _steps;

    public int Slots => slotCount;

    /// <summary>Documents of answers so far. How long a server thinks before it says something is its own affair: a standing counter proves nothing.</summary>
    public long Steps => Interlocked.Read(ref _steps);

    public bool IsContinuable => false;

    public ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        if (request.ResumeTokens.Count > 0)
            return ValueTask.FromResult(Failed("an answer that has begun cannot be continued by the server that the model runs on"));
        ServerRequest asked = dialect.Ask(model, request with { Forward = request.Forward ?? new ForwardedPrompt { Prompt = request.Prompt } });
        return asked.Refusal is { } refusal ? ValueTask.FromResult(Invalid(refusal)) : InSlotAsync(token => StreamAsync(asked, sink, token), cancellationToken);
    }

    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        EmbedRequest rest = request with { Inputs = [.. request.Inputs.Skip(request.Skip)] };
        ServerRequest asked = dialect.Embed(model, rest);
        return asked.Refusal is { } refusal ? ValueTask.FromResult(Invalid(refusal)) : InSlotAsync(token => EmbedAsync(asked, rest, sink, token), cancellationToken);
    }

    /// <summary>Brings the model into the server's memory, or out of it (zero), where the server can be told to.</summary>
    public ValueTask<AttemptEnd> LoadAsync(TimeSpan? keepAlive, CancellationToken cancellationToken) =>
        dialect.Load(model, keepAlive) is { } asked
            ? InSlotAsync(token => LoadAsync(asked, token), cancellationToken)
            : ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Loaded });

    /// <summary>What runs is handed back, as what comes later.</summary>
    public async ValueTask DisposeAsync() => await _disposed.CancelAsync();

    private static AttemptEnd Failed(string why) => new() { Reason = EndReason.Failed, Error = why };

    private static AttemptEnd Invalid(string why) => new() { Reason = EndReason.Invalid, Error = why };

    /// <summary>Every outcome is a value; the server's slot is free afterwards, and its connection closed or ready for the next.</summary>
    private async ValueTask<AttemptEnd> InSlotAsync(Func<CancellationToken, Task<AttemptEnd>> run, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        try
        {
            await slots.WaitAsync(either.Token);
            try
            {
                return await run(either.Token);
            }
            finally
            {
                slots.Release();
            }
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return new AttemptEnd { Reason = cancellationToken.IsCancellationRequested ? EndReason.Cancelled : EndReason.HandedBack };
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            failed();
            return Failed($"the server that the model runs on ({server.Target}) failed: {e.GetBaseException().Message}");
        }
        catch (Exception e)
        {
            return Failed(e.Message);
        }
    }

    private async Task<AttemptEnd> StreamAsync(ServerRequest asked, ITokenSink sink, CancellationToken cancellationToken)
    {
        long askedAt = time.GetTimestamp();
        using HttpResponseMessage response = await server.SendAsync(asked, cancellationToken);
        if (!response.IsSuccessStatusCode)
            return await RefusedAsync(response, cancellationToken);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        IServerAnswer answer = dialect.NewAnswer();
        int index = 0;
        long firstAt = 0;
        await foreach (string text in dialect.SplitAsync(stream, cancellationToken))
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (ServerPiece piece in answer.Read(document.RootElement))
            {
                if (index == 0)
                {
                    firstAt = time.GetTimestamp();
                    sink.Started(new AttemptStart(0, 0, TimeSpan.Zero, time.GetElapsedTime(askedAt)));
                }
                sink.Write(index++, piece.Kind, piece.Bytes.Span, piece.Logprobs);
            }
            Interlocked.Increment(ref _steps);
            cancellationToken.ThrowIfCancellationRequested();
        }
        if (answer.End is not { } end)
            return Failed($"the server that the model runs on ({server.Target}) broke its answer off");
        return index > 0 && end.EvalDuration == TimeSpan.Zero ? end with { EvalDuration = time.GetElapsedTime(firstAt) } : end;
    }

    private async Task<AttemptEnd> EmbedAsync(ServerRequest asked, EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        long askedAt = time.GetTimestamp();
        using HttpResponseMessage response = await server.SendAsync(asked, cancellationToken);
        if (!response.IsSuccessStatusCode)
            return await RefusedAsync(response, cancellationToken);
        using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        var (vectors, tokens) = dialect.ReadVectors(document.RootElement);
        if (vectors.Count != request.Inputs.Count)
            return Failed($"the server that the model runs on answered {vectors.Count} vectors for {request.Inputs.Count} texts");
        Interlocked.Increment(ref _steps);
        sink.Started(new AttemptStart(tokens, 0, TimeSpan.Zero, time.GetElapsedTime(askedAt)));
        // It counts the tokens of all texts together; nobody asks for them apart.
        for (int i = 0; i < vectors.Count; i++)
            sink.Write(request.Skip + i, i == 0 ? tokens : 0, MemoryMarshal.AsBytes<float>(vectors[i]));
        return new AttemptEnd { Reason = EndReason.Stop };
    }

    private async Task<AttemptEnd> LoadAsync(ServerRequest asked, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await server.SendAsync(asked, cancellationToken);
        return response.IsSuccessStatusCode ? new AttemptEnd { Reason = EndReason.Loaded } : await RefusedAsync(response, cancellationToken);
    }

    private async Task<AttemptEnd> RefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        AttemptEnd end = await server.FailureAsync(response, cancellationToken);
        // Such as a model that is no longer there.
        if (end.Reason == EndReason.Failed)
            failed();
        return end;
    }
}
