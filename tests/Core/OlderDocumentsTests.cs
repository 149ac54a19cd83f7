using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OllamaMax.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Core.Tests;

/// <summary>What an older program wrote lacks what came later: the serializer then sets null where nothing forbids it. What a newer one wrote may say what is not known yet.</summary>
public sealed class OlderDocumentsTests
{
    [Fact]
    public void ClusterState_OfSchema1_HasNoPoliciesAndNobodyRevoked()
    {
        LeaderDocument<ClusterState> read = Read(
            """{"schema":1,"epoch":4,"leader":"e","since":"2026-01-02T03:04:05Z","version":9,"content":{"members":{},"drains":{},"commands":[]}}""",
            DocumentJson.Default.LeaderDocumentClusterState);

        read.Content.Policies.ShouldBeEmpty();
        read.Content.Revoked.ShouldBeEmpty();
    }

    [Fact]
    public void WorkerMessage_OfAWorkerThatDoesNotSeal_HasNothingSealed() =>
        Read(
            """{"version":1,"worker_id":"w","steps":1,"slots_used":0,"slots_total":1,"answers":[],"claims":[],"outputs":[],"alive":[]}""",
            ProtocolJson.Default.WorkerMessage).Sealed.ShouldBeEmpty();

    [Fact]
    public void KeyRecord_WithoutLimits_HasNone()
    {
        KeyRecord record = new()
        {
            Id = "k", Name = "n", Tenant = "t", Role = Role.User, CreatedAt = DateTimeOffset.UnixEpoch, CreatedBy = "a", Secrets = [],
        };
        string written = JsonSerializer.Serialize(record, SecurityJson.Default.KeyRecord);
        using JsonDocument document = JsonDocument.Parse(written);
        string older = JsonSerializer.Serialize(document.RootElement.EnumerateObject()
            .Where(property => !property.NameEquals("limits")).ToDictionary(property => property.Name, property => property.Value));

        Read(older, SecurityJson.Default.KeyRecord).Limits.ShouldBe(UsageLimits.None);
    }

    [Theory]
    [InlineData("\"Kimi\"", ToolCallForm.Kimi)]
    [InlineData("\"OfALaterVersion\"", ToolCallForm.None)]
    [InlineData("\"4711\"", ToolCallForm.None)]
    public void OutputParsing_FormThatOnlyANewerProgramKnows_IsNone(string form, ToolCallForm read) =>
        Read($"{{\"tool_calls\":{form}}}", ProtocolJson.Default.OutputParsing).ToolCalls.ShouldBe(read);

    [Fact]
    public void OutputParsing_Form_IsWrittenByItsName() =>
        JsonSerializer.Serialize(new OutputParsing { ToolCalls = ToolCallForm.DeepSeekFenced }, ProtocolJson.Default.OutputParsing)
            .ShouldContain("\"tool_calls\":\"DeepSeekFenced\"");

    private static T Read<T>(string json, JsonTypeInfo<T> type)
        where T : class =>
        JsonSerializer.Deserialize(json, type).ShouldNotBeNull();
}
