using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// A registry of Ollama's protocol: <c>/v2/namespace/name/manifests/tag</c> and <c>…/blobs/digest</c>. Hugging Face speaks it too, under
/// <c>hf.co</c> with the quantization as the tag, so that both are one.
/// </summary>
internal sealed class RegistrySource(SourceHttp http, SourceRetry retry, IOptions<PullOptions> options, TimeProvider time)
{
    /// <summary>Of manifests, and of what stands beside the weights.</summary>
    private const int LargestText = 1 << 20;

    private static readonly string[] Roles = ["system", "user", "assistant"];

    /// <exception cref="PullException">There is none, or none that can be followed.</exception>
    public async Task<ModelManifest> ReadManifestAsync(ModelName name, CancellationToken cancellationToken)
    {
        byte[] json = [];
        try
        {
            json = await ReadAsync(new(Address(name, $"manifests/{name.Tag}"), ModelManifest.ManifestMediaType), cancellationToken);
            return ModelManifest.Parse(json);
        }
        catch (FormatException e)
        {
            throw await WhyNotAsync(name, json, cancellationToken) ?? new PullException($"pull model manifest: {e.Message}", e);
        }
        catch (PullException e)
        {
            PullException? why = e.IsNotFound ? await WhyNotAsync(name, json, cancellationToken) : null;
            throw why ?? new PullException($"pull model manifest: {(e.IsNotFound ? "file does not exist" : e.Message)}", e) { IsNotFound = e.IsNotFound, IsRefused = e.IsRefused };
        }
    }

    private async Task<PullException?> WhyNotAsync(ModelName name, byte[] json, CancellationToken cancellationToken) =>
        await WeightlessManifest.WhyNotAsync(name, json, config => ReadAsync(name, config, cancellationToken)) is { } reason ? new PullException($"{name} {reason}") : null;

    /// <summary>
    /// What the layers beside the weights say. Not the template: it is Go's, and the GGUF's own Jinja says the same. Nor projectors: no engine here sees.
    /// </summary>
    /// <exception cref="PullException">A layer is not what its digest or its kind says.</exception>
    public async Task<Modelfile> ReadModelfileAsync(ModelName name, ModelManifest manifest, CancellationToken cancellationToken)
    {
        Modelfile modelfile = new();
        foreach (ModelLayer layer in manifest.Layers)
        {
            modelfile = layer.MediaType switch
            {
                ModelLayer.System => modelfile with { System = Encoding.UTF8.GetString(await ReadAsync(name, layer, cancellationToken)) },
                ModelLayer.License => modelfile with { License = [.. modelfile.License, Encoding.UTF8.GetString(await ReadAsync(name, layer, cancellationToken))] },
                ModelLayer.Params => modelfile with { Parameters = Parse(await ReadAsync(name, layer, cancellationToken), layer, ReadParameters) },
                ModelLayer.Messages => modelfile with { Messages = Parse(await ReadAsync(name, layer, cancellationToken), layer, ReadMessages) },
                _ => modelfile,
            };
        }
        return modelfile;
    }

    public Uri BlobAddress(ModelName name, ModelLayer layer) => Address(name, $"blobs/{layer.Digest}");

    private static RequestedOptions ReadParameters(JsonElement json, FieldErrors errors) =>
        OllamaOptions.ReadOptions(new JsonFields(json, "params", errors)) with { LogitBias = null };

    private static IReadOnlyList<ModelMessage> ReadMessages(JsonElement json, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            errors.Add("messages", "must be an array");
            return [];
        }
        List<ModelMessage> messages = [];
        foreach (JsonElement item in json.EnumerateArray())
        {
            JsonFields fields = new(item, $"messages[{messages.Count}]", errors);
            string role = fields.Text("role") ?? "";
            if (!Roles.Contains(role))
                errors.Add(fields.PathOf("role"), "must be system, user or assistant");
            messages.Add(new(role, fields.Text("content") ?? ""));
        }
        return messages;
    }

    private static T Parse<T>(byte[] bytes, ModelLayer layer, Func<JsonElement, FieldErrors, T> read)
    {
        FieldErrors errors = new();
        try
        {
            using JsonDocument json = JsonDocument.Parse(bytes);
            T value = read(json.RootElement, errors);
            return errors.First is { } error ? throw new PullException($"layer {layer.Digest} cannot be used: {error.Message}") : value;
        }
        catch (JsonException e)
        {
            throw new PullException($"layer {layer.Digest} is no valid JSON", e);
        }
    }

    private async Task<byte[]> ReadAsync(ModelName name, ModelLayer layer, CancellationToken cancellationToken)
    {
        byte[] bytes = await ReadAsync(new(BlobAddress(name, layer)), cancellationToken);
        string actual = ModelDigest.Of(bytes);
        return actual == layer.Digest
            ? bytes
            : throw new PullException($"digest mismatch, expected \"{layer.Digest}\", got \"{actual}\"");
    }

    private Task<byte[]> ReadAsync(SourceRequest request, CancellationToken cancellationToken) =>
        retry.RunAsync(request.Address, async limited =>
        {
            using HttpResponseMessage response = await http.GetAsync(request, limited);
            return await response.ReadAtMostAsync(LargestText, options.Value.Silence, time, limited);
        }, () => 0, cancellationToken);

    private Uri Address(ModelName name, string path) =>
        new($"{options.Value.BaseOf(name.Host).AbsoluteUri.TrimEnd('/')}/v2/{name.Namespace}/{name.Name}/{path}");
}
