using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/create</c> of a split GGUF's parts, or with <c>quantize</c>: the creations that take long, so their lines come while they last.</summary>
internal sealed class ConvertedCreation(ModelCatalog catalog, ModelBlobs blobs, IOptions<EdgeOptions> options, TimeProvider time)
{
    private readonly BlobConverter _converter = new(blobs);

    public async Task CreateAsync(HttpContext context, CreateRequest request)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        if ((await FindAsync(request, cancellationToken)).Failed(out ApiError? error, out Source? source))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        await using ProgressLines progress = new(context, request.IsStream);
        if (!request.IsStream)
        {
            try
            {
                string made = await _converter.RunAsync(source.Weights, request.Quantization, (_, _) => { }, cancellationToken);
                await PublishAsync(request, source, made, cancellationToken);
                progress.Say("success");
            }
            catch (ModelPublishException e)
            {
                await ErrorAnswer.WriteAsync(context, ApiError.BadRequest(e.Message));
            }
            return;
        }
        try
        {
            string digest = await FollowAsync(progress, request, source, cancellationToken);
            progress.Say("writing manifest");
            await PublishAsync(request, source, digest, cancellationToken);
            progress.Say("success");
        }
        catch (Exception e) when (e is CatalogException or ModelPublishException)
        {
            progress.Fail(e.Message);
        }
    }

    private async Task<string> FollowAsync(ProgressLines progress, CreateRequest request, Source source, CancellationToken cancellationToken)
    {
        string what = request.Quantization is { } to ? $"quantizing {source.Type} model to {to.Name}" : $"merging {source.Weights.Count} parts";
        PullLine line = new(what, source.Weights[0]);
        Task<string> converting = _converter.RunAsync(
            source.Weights, request.Quantization, (total, completed) => Volatile.Write(ref line, line with { Total = total, Completed = completed }), cancellationToken);
        do
        {
            progress.Say(Volatile.Read(ref line));
            await progress.FlushAsync();
            await ((Task)converting).WaitAsync(options.Value.HeartbeatInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!converting.IsCompleted);
        string digest = await converting;
        progress.Say(Volatile.Read(ref line));
        return digest;
    }

    private async Task PublishAsync(CreateRequest request, Source source, string digest, CancellationToken cancellationToken)
    {
        if (!await catalog.CreateAsync(digest, request.Name, source.Modelfile, cancellationToken))
            throw new CatalogException($"blob {digest} was deleted while it was made a model");
    }

    private async Task<Result<Source>> FindAsync(CreateRequest request, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string>? weights, Modelfile modelfile) = (request.Weights, request.Modelfile);
        if (request.From is { } from)
        {
            if (await catalog.FindAsync(from, cancellationToken) is not { } model)
                return ApiError.ModelNotFound(from.ToString());
            (weights, modelfile) = ([model.Weights], request.Modelfile.Over(model.Modelfile));
        }
        foreach (string digest in weights!)
        {
            if (await blobs.FindAsync(digest, cancellationToken) is null)
                return ModelChangeEndpoints.NoBlob(digest);
        }
        (string type, string? error) = await _converter.LookAsync(weights, request.Quantization, cancellationToken);
        return error is null ? new Source(weights, modelfile, type) : ApiError.BadRequest(error);
    }

    private sealed record Source(IReadOnlyList<string> Weights, Modelfile Modelfile, string Type);
}
