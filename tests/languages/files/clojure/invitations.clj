(ns party.invitations
  (:require [clojure.string :as str]))

(defprotocol Postman
  (deliver [this letter]))

(defn open-seats
  "How many chairs are still free."
  [table]
  (- (:chairs table) (count (:guests table))))

;; Sends an invitation once more to each guest who has not answered.
(defn remind-guests
  [postman guests]
  (doseq [guest guests
          :when (nil? (:answer guest))]
    (deliver postman {:to (:address guest)
                      :text (str/upper-case (:name guest))})))
