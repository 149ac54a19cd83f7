using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Templates;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// <c>POST /api/create</c> of a split GGUF's parts, of one that was made for Ollama's engine, or with <c>quantize</c> or <c>adapters</c>: the creations that take long, so their lines come while they last.
/// </summary>
internal sealed class ConvertedCreation(ModelCatalog catalog, ModelBlobs blobs, TemplateCheck check, IOptions<EdgeOptions> options, TimeProvider time)
{
    private readonly BlobConverter _converter = new(blobs);

    /// <summary>Whether it is one of these.</summary>
    /// <exception cref="ModelPublishException">What it is to be made of can be no model.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<bool> DoesAsync(CreateRequest request, CancellationToken cancellationToken) =>
        request.IsConversion || (request.Weights is [var weights] && await _converter.IsOllamasAsync(weights, cancellationToken));

    /// <exception cref="ModelPublishException">It cannot be made.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task CreateAsync(HttpContext context, CreateRequest request, ProgressLines progress)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        if ((await FindAsync(request, cancellationToken)).Failed(out ApiError? error, out Source? source))
        {
            await progress.FailAsync(error);
            return;
        }
        string digest = await FollowAsync(context, progress, source);
        progress.Say("writing manifest");
        await PublishAsync(request, source, digest, progress, cancellationToken);
        progress.Say(PullLine.Success);
    }

    private async Task<string> FollowAsync(HttpContext context, ProgressLines progress, Source source)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        PullLine line = new(source.ToString(), source.Conversion.Sources[0]);
        Task<string> converting = _converter.RunAsync(
            source.Conversion, (total, completed) => Volatile.Write(ref line, line with { Total = total, Completed = completed }), cancellationToken);
        if (!progress.IsStream)
        {
            await new SilenceFiller(context, options.Value, time).WaitAsync(converting);
            return await converting;
        }
        try
        {
            do
            {
                progress.Say(Volatile.Read(ref line));
                await progress.FlushAsync();
                await ((Task)converting).WaitAsync(options.Value.HeartbeatInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            while (!converting.IsCompleted);
        }
        finally
        {
            // Where this is cut off it still saves how far it is, for whoever asks again.
            await ((Task)converting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        string digest = await converting;
        progress.Say(Volatile.Read(ref line));
        return digest;
    }

    private async Task PublishAsync(CreateRequest request, Source source, string digest, ProgressLines progress, CancellationToken cancellationToken)
    {
        if (!await catalog.CreateAsync(digest, request.Name, source.Modelfile, cancellationToken, source.Adapters))
            throw new CatalogException($"blob {digest} was deleted while it was made a model");
        if (await check.WarningAsync(request.Name, cancellationToken) is { } warning)
            progress.Say(warning);
    }

    private async Task<Result<Source>> FindAsync(CreateRequest request, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string>? weights, Modelfile modelfile, IReadOnlyList<string> adapters) = (request.Weights, request.Modelfile, request.Adapters);
        if (request.From is { } from)
        {
            if (await catalog.FindAsync(from, cancellationToken) is not { } model)
                return ApiError.ModelNotFound(from.ToString());
            (weights, modelfile, adapters) = ([model.Weights], request.Modelfile.Over(model.Modelfile), [.. model.Adapters, .. adapters]);
        }
        foreach (string digest in weights!.Concat(request.Adapters))
        {
            if (await blobs.FindAsync(digest, cancellationToken) is null)
                return ModelChangeEndpoints.NoBlob(digest);
        }
        BlobConversion conversion = new(weights!, request.Quantization, request.Adapters);
        (string type, string? error) = await _converter.LookAsync(conversion, cancellationToken);
        return error is null ? new Source(conversion, modelfile, adapters, type) : ApiError.BadRequest(error);
    }

    /// <param name="Conversion">What is to be done.</param>
    /// <param name="Modelfile">What is said beside the weights.</param>
    /// <param name="Adapters">All that will be in them, also what was there before.</param>
    /// <param name="Type">What they are made of now.</param>
    private sealed record Source(BlobConversion Conversion, Modelfile Modelfile, IReadOnlyList<string> Adapters, string Type)
    {
        /// <summary>What a line calls it.</summary>
        public override string ToString() => Conversion switch
        {
            { Quantization: { } quantization } => $"quantizing {Type} model to {quantization.Name}",
            { Adapters.Count: > 0 } => "adding adapter",
            { Sources.Count: > 1 } => $"merging {Conversion.Sources.Count} parts",
            _ => BlobConversion.Translating,
        };
    }
}
