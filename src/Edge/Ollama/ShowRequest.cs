using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/show</c>: a model, as it is or as a session of <c>ollama run</c> has changed it for itself (<c>/set system</c>, <c>/set parameter</c>).</summary>
/// <param name="Model">Its name, as it was asked for.</param>
/// <param name="System">Instead of the model's own; null: that.</param>
/// <param name="Options">They win over the model's own parameters in its Modelfile.</param>
internal sealed record ShowRequest(string Model, string? System, RequestedOptions Options)
{
    public static Result<ShowRequest> Read(JsonFields request)
    {
        request.Flag("verbose"); // Nothing more is known of a model than is always shown.
        string? older = request.Text("name");
        string model = request.Text("model") is { Length: > 0 } newer ? newer : older ?? "";
        if (model.Length == 0)
            request.Errors.Add("model", "is required");
        string? system = request.Text("system") is { Length: > 0 } given ? given : null;
        RequestedOptions options = OllamaOptions.ReadOptions(request.Object("options"));
        return request.Errors.First is { } error ? error : new ShowRequest(model, system, options);
    }
}
