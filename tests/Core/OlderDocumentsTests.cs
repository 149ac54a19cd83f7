using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
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
    public void SharedUse_OfAnEdgeThatKeepsNoMarks_IsOfNobodysWrite()
    {
        SharedUse read = Read(
            """{"requests":{"window":1,"count":2},"minute_tokens":{"window":1,"count":3},"day_tokens":{"window":1,"count":3},"month_tokens":{"window":1,"count":3},"running":{}}""",
            SecurityJson.Default.SharedUse);

        read.Requests.Count.ShouldBe(2);
        read.IsWrittenBy("edge", "mark").ShouldBeFalse();
    }

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
    public void ForWorkers_AnyForm_IsReadHereAndByAWorkerThatKnowsTheFirstThree()
    {
        foreach (ToolCallForm form in Enum.GetValues<ToolCallForm>())
        {
            string written = JsonSerializer.Serialize(new OutputParsing { ToolCalls = form }.ForWorkers(), ProtocolJson.Default.OutputParsing);

            Read(written, ProtocolJson.Default.OutputParsing).ToolCalls.ShouldBe(form);
            FirstParsing before = JsonSerializer.Deserialize<FirstParsing>(written, JsonSerializerOptions.Web).ShouldNotBeNull();
            before.ToolCalls.ToString().ShouldBe(form <= ToolCallForm.Mistral ? form.ToString() : "None");
        }
    }

    [Fact]
    public void OutputParsing_WrittenAnewByAnEdgeThatSkipsWhatItDoesNotKnow_HasItsForm()
    {
        foreach (ToolCallForm form in Enum.GetValues<ToolCallForm>())
        {
            string written = JsonSerializer.Serialize(new OutputParsing { ToolCalls = form }, ProtocolJson.Default.OutputParsing);
            EarlierParsing before = JsonSerializer.Deserialize<EarlierParsing>(written, JsonSerializerOptions.Web).ShouldNotBeNull();

            Read(JsonSerializer.Serialize(before, JsonSerializerOptions.Web), ProtocolJson.Default.OutputParsing).ToolCalls.ShouldBe(form);
        }
    }

    /// <summary>A worker skips fields that it does not know, but a value that it does not know is the end of the job: it fails under each such worker, and is set aside.</summary>
    [Fact]
    public void WhatWorkersReadOfABackgroundJob_Enums_HaveOnlyValuesThatThoseOfTheFirstProtocolKnow()
    {
        HashSet<Type> seen = [];
        JsonTypeInfo[] read = [ProtocolJson.Default.QueuedJob, ProtocolJson.Default.JobClaimAnswer, ProtocolJson.Default.OutputLine];

        string[] values = [.. read.SelectMany(type => EnumsOf(type, seen)).Distinct().Select(type => $"{type.Name}: {string.Join(", ", Enum.GetNames(type))}").Order()];

        values.ShouldBe([
            "ArgumentTypes: None, Objects, Arrays, Texts, Numbers, Booleans, Nulls, Any",
            "Band: Interactive, Batch",
            "EndReason: Stop, Length, Loaded, Cancelled, HandedBack, Invalid, Failed",
            "FinishReason: Stop, Length, Load, Unload",
            "JobErrorKind: Invalid, Busy, DeadlineExceeded, Failed, Unavailable, Cancelled, OverLimit",
        ]);
    }

    private static IEnumerable<Type> EnumsOf(JsonTypeInfo type, HashSet<Type> seen)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            foreach (Type part in PartsOf(property.PropertyType))
            {
                if (part.IsEnum && part != typeof(ToolCallForm))
                    yield return part;
                if (part.Namespace?.StartsWith("OllamaMax", StringComparison.Ordinal) != true || !seen.Add(part) || part.IsEnum)
                    continue;
                foreach (Type found in EnumsOf(ProtocolJson.Default.GetTypeInfo(part)!, seen))
                    yield return found;
            }
        }
    }

    /// <summary>Itself, and what it is a list or a dictionary of, or may be null of.</summary>
    private static IEnumerable<Type> PartsOf(Type type) => type.GenericTypeArguments.SelectMany(PartsOf).Append(type.IsArray ? type.GetElementType()! : type);

    [SuppressMessage("Performance", "CA1812:Avoid uninstantiated internal classes", Justification = "The serializer makes it.")]
    private sealed record FirstParsing([property: JsonPropertyName("tool_calls"), JsonConverter(typeof(JsonStringEnumConverter))] FirstForms ToolCalls);

    [SuppressMessage("Performance", "CA1812:Avoid uninstantiated internal classes", Justification = "The serializer makes it.")]
    private sealed record EarlierParsing([property: JsonPropertyName("tool_calls")] ToolCallForm ToolCalls);

    private enum FirstForms
    {
        None,
        Hermes,
        Llama3,
        Mistral,
    }

    private static T Read<T>(string json, JsonTypeInfo<T> type)
        where T : class =>
        JsonSerializer.Deserialize(json, type).ShouldNotBeNull();
}
