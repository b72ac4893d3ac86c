from stack.run_summary import broker_name, kind_of, summary_line


def test_line_names_the_broker_and_what_was_not_asked_for() -> None:
    line = summary_line(broker_name("apache", "4.1.1"), [], on_containers=False)

    assert line == (
        "test: broker apache-kafka 4.1.1; "
        "skipped: containers (no engine asked for: STACK=containers)"
    )


def test_each_kind_of_skipped_test_is_counted_with_its_reason() -> None:
    skipped = [("kafka", "needs Apache Kafka"), ("e2e", "no Chromium")] * 2

    line = summary_line(broker_name("librdkafka", "2.16.0"), skipped, on_containers=True)

    assert line == (
        "test: broker librdkafka 2.16.0; skipped: 2 e2e (no Chromium), 2 kafka (needs Apache Kafka)"
    )


def test_marker_kafka_decides_over_the_tier() -> None:
    assert kind_of(["integration", "kafka", "test_x"]) == "kafka"
    assert kind_of(["test_x"]) == "other"
