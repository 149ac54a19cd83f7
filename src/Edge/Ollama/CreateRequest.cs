using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/create</c> (https://docs.ollama.com/api/create).</summary>
/// <param name="Name">The new model's.</param>
/// <param name="From">The model it is made from; null: it is made from <paramref name="Weights"/>.</param>
/// <param name="Weights">Digest of an uploaded GGUF, or of all the parts of a split one in their order; null: those of <paramref name="From"/>.</param>
/// <param name="Modelfile">What is said beside the weights.</param>
/// <param name="Quantization">What the weights are to be made first; null: they stay what they are.</param>
/// <param name="Adapters">Digests of uploaded GGUFs that are to be added to the weights.</param>
/// <param name="IsStream">Progress lines, or one answer.</param>
internal sealed record CreateRequest(
    ModelName Name, ModelName? From, IReadOnlyList<string>? Weights, Modelfile Modelfile, GgufQuantization? Quantization, IReadOnlyList<string> Adapters, bool IsStream)
{
    private static readonly string[] Roles = ["system", "user", "assistant"];

    /// <summary>It is not done by the way, and shows that it lasts.</summary>
    public bool IsConversion => Quantization is not null || Adapters.Count > 0 || Weights?.Count > 1;

    public static Result<CreateRequest> Read(JsonFields request)
    {
        ModelName? name = ModelNameField.Read(request, "model", "name");
        ModelName? from = request.IsSet("from") ? ModelNameField.Read(request, "from") : null;
        IReadOnlyList<string>? weights = ReadFiles(request);
        IReadOnlyList<string> adapters = ReadAdapters(request);
        CheckUnsupported(request);
        GgufQuantization? quantization = ReadQuantization(request, "quantize") ?? ReadQuantization(request, "quantization");
        Modelfile modelfile = new()
        {
            Parent = from?.ToString(),
            Template = TemplateField.Read(request),
            System = request.Text("system") is { Length: > 0 } system ? system : null,
            Parameters = request.Object("parameters") is { } parameters ? OllamaOptions.ReadOptions(parameters) with { LogitBias = null, Others = null } : new(),
            Messages = [.. request.Objects("messages").Select(ReadMessage)],
            License = ReadLicense(request),
        };
        if (request.Errors.First is null && from is null == weights is null)
            request.Errors.Add(ApiError.BadRequest("neither 'from' or 'files' was specified"));
        return request.Errors.First is { } error ? error : new CreateRequest(name!, from, weights, modelfile, quantization, adapters, request.Flag("stream") ?? true);
    }

    private static IReadOnlyList<string>? ReadFiles(JsonFields request)
    {
        if (request.Object("files") is not { } files)
            return null;
        IReadOnlyList<string> names = files.Names();
        IReadOnlyList<string> ordered = names.Count == 1 ? names : names.Count > 0 ? GgufSplit.PartsOf(names[0]) ?? [] : [];
        if (names.Count == 0 || !names.ToHashSet().SetEquals(ordered))
        {
            request.Errors.Add("files", "must name one GGUF, or all parts of a split one (such as m-00001-of-00002.gguf): safetensors and projectors are not supported by this server");
            return null;
        }
        return [.. ordered.Select(name => ReadDigest(files, name))];
    }

    private static IReadOnlyList<string> ReadAdapters(JsonFields request)
    {
        if (request.Object("adapters") is not { } adapters)
            return [];
        IReadOnlyList<string> names = adapters.Names();
        if (names.FirstOrDefault(name => Path.GetExtension(name) is ".safetensors" or ".json") is { } other)
        {
            request.Errors.Add(adapters.PathOf(other), "must be a GGUF: safetensors are not converted by this server (convert_lora_to_gguf.py of llama.cpp does it)");
            return [];
        }
        return [.. names.Select(name => ReadDigest(adapters, name))];
    }

    private static string ReadDigest(JsonFields files, string name)
    {
        string digest = files.Text(name) ?? "";
        if (!ModelDigest.IsValid(digest))
            files.Errors.Add(files.PathOf(name), "must be a digest: sha256: and 64 lower-case hex digits");
        return digest;
    }

    private static void CheckUnsupported(JsonFields request)
    {
        foreach (string field in (ReadOnlySpan<string>)["modelfile", "path", "renderer", "parser", "remote_host", "draft_files", "draft_quantize"])
        {
            if (request.Find(field) is { } value && !IsEmpty(value))
                request.Errors.Add(ApiError.NotSupported(field));
        }
    }

    private static GgufQuantization? ReadQuantization(JsonFields request, string field)
    {
        if (request.Text(field) is not { Length: > 0 } wanted)
            return null;
        GgufQuantization? quantization = GgufQuantization.Find(wanted);
        if (quantization is null)
        {
            string known = string.Join(", ", GgufQuantization.All.Select(one => one.Name));
            request.Errors.Add(ApiError.BadRequest($"unsupported quantization type {wanted.ToUpperInvariant()} - supported types are {known}"));
        }
        return quantization;
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.ValueEquals(""u8),
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };

    private static ModelMessage ReadMessage(JsonFields message)
    {
        string role = message.Text("role") ?? "";
        if (!Roles.Contains(role))
            message.Errors.Add(message.PathOf("role"), "must be system, user or assistant");
        if (message.Items("images").Any())
            message.Errors.Add(message.PathOf("images"), "are not kept with a model");
        return new(role, message.Text("content") ?? "");
    }

    private static IReadOnlyList<string> ReadLicense(JsonFields request) =>
        request.Find("license") is { ValueKind: JsonValueKind.String } ? [request.Text("license") ?? ""] : request.Texts("license");
}
