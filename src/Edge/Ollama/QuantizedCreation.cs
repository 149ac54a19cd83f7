using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/create</c> with <c>quantize</c>: the one creation that takes long, so its lines come while it lasts.</summary>
internal sealed class QuantizedCreation(ModelCatalog catalog, ModelBlobs blobs, IOptions<EdgeOptions> options, TimeProvider time)
{
    private readonly BlobQuantizer _quantizer = new(blobs);

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
            await PublishAsync(request, source, await _quantizer.RunAsync(source.Weights, (_, _) => { }, cancellationToken), cancellationToken);
            progress.Say("success");
            return;
        }
        try
        {
            string digest = await FollowAsync(progress, source, cancellationToken);
            progress.Say("writing manifest");
            await PublishAsync(request, source, digest, cancellationToken);
            progress.Say("success");
        }
        catch (Exception e) when (e is CatalogException or ModelPublishException)
        {
            progress.Fail(e.Message);
        }
    }

    private async Task<string> FollowAsync(ProgressLines progress, Source source, CancellationToken cancellationToken)
    {
        PullLine line = new($"quantizing {source.Type} model to {GgufQuantizer.Quantization}", source.Weights);
        Task<string> quantizing = _quantizer.RunAsync(source.Weights, (total, completed) => Volatile.Write(ref line, line with { Total = total, Completed = completed }), cancellationToken);
        do
        {
            progress.Say(Volatile.Read(ref line));
            await progress.FlushAsync();
            await ((Task)quantizing).WaitAsync(options.Value.HeartbeatInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!quantizing.IsCompleted);
        string digest = await quantizing;
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
        (string? weights, Modelfile modelfile) = (request.Weights, request.Modelfile);
        if (request.From is { } from)
        {
            if (await catalog.FindAsync(from, cancellationToken) is not { } model)
                return ApiError.ModelNotFound(from.ToString());
            (weights, modelfile) = (model.Weights, request.Modelfile.Over(model.Modelfile));
        }
        if (await blobs.FindAsync(weights!, cancellationToken) is null)
            return ModelChangeEndpoints.NoBlob(weights!);
        (string type, string? error) = await _quantizer.LookAsync(weights!, cancellationToken);
        return error is null ? new Source(weights!, modelfile, type) : ApiError.BadRequest(error);
    }

    private sealed record Source(string Weights, Modelfile Modelfile, string Type);
}
