using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Models;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Edge.Pulls;

/// <summary>What is to be pulled; equal ones share one pull.</summary>
/// <param name="Name">What it will be called, and, without <paramref name="From"/>, where it is.</param>
/// <param name="From">A GGUF file's address; null: the registry that the name's host is.</param>
internal sealed record PullRequest(ModelName Name, Uri? From)
{
    public static Result<PullRequest> Read(JsonFields request, PullOptions options)
    {
        if (IsFile(request.Text("model") ?? request.Text("name") ?? ""))
            request.Errors.Add("model", "must be a name: the address of a file is \"from\"");
        ModelName? name = ModelNameField.Read(request, "model", "name");
        // Ollama's word for http: here that is the operator's to say, not the client's.
        request.Flag("insecure");
        Uri? from = null;
        if (request.Text("from") is { Length: > 0 } text)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out from) || !options.Allows(from) || from.UserInfo.Length > 0)
                request.Errors.Add("from", "must be an https URL without credentials (http only where the server's options say so)");
        }
        return request.Errors.First is { } error ? error : new PullRequest(name!, from is null ? null : HuggingFace.FileOf(from));
    }

    /// <summary>As from a browser. With three parts and without a scheme it may be a name, and so may what stands behind a colon be a tag.</summary>
    private static bool IsFile(string model)
    {
        string address = model.Split('?', '#')[0];
        return address.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && address.LastIndexOf(':') < address.LastIndexOf('/')
            && (address.Contains("://", StringComparison.Ordinal) || address.Count(c => c == '/') > 2);
    }

    public static PullRequest Of(PullInput input) => new(ModelName.Parse(input.Model), input.From is null ? null : new Uri(input.From));
}
